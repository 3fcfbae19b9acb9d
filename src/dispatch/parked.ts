import type { CallTrace, InputRequests } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { Config } from '../config/config.ts'
import type { Message } from '../protocol/message.ts'
import type { Dispatch } from './dispatch.ts'
import type { Seal } from './seal.ts'

/** One request of a client that answers what it is asked by asking again. */
export interface Visit {
  readonly request: Message
  readonly trace: CallTrace
  /** Aborted when this client goes away: the call is given up then. */
  readonly signal: AbortSignal
  notify(message: Message): void
}

/** How a request ends: with the tool's answer, or with what the client is asked first. */
export type Turn =
  | { readonly answer: Message }
  | { readonly asks: InputRequests; readonly state: string }

export interface ParkedParts {
  readonly config: Config
  readonly dispatch: Dispatch
  readonly seal: Seal
}

/** Calls that wait, between two requests, for what their client was asked. */
export interface ParkedCalls {
  /**
   * Opens the link, calls, and closes the link when the call has ended, be that turns later.
   * Rejects with what the call fails with.
   */
  begin(link: Link, visit: Visit): Promise<Turn>
  /**
   * Goes on with the call `id` of this caller and tool: its answer is under the new request's id,
   * what it notifies goes to the new visit. What is not answered is asked again. Rejects with
   * `invalid_params` where no such call waits.
   */
  resume(id: string, link: Link, visit: Visit, responses: unknown): Promise<Turn>
  /** Ends all of them. */
  close(reason: string): void
  /** How many wait. */
  readonly count: number
}

export class Parked implements ParkedCalls {
  readonly count = 0

  constructor(_parts: ParkedParts) {}

  begin(_link: Link, _visit: Visit): Promise<Turn> {
    throw new Error('not built yet')
  }

  resume(_id: string, _link: Link, _visit: Visit, _responses: unknown): Promise<Turn> {
    throw new Error('not built yet')
  }

  close(_reason: string): void {}
}
