import type { CallTrace, InputRequests } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { newId } from '../call/new-id.ts'
import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Dispatch } from './dispatch.ts'
import { ParkedCall, type Yard } from './parked-call.ts'
import { Places } from './places.ts'

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
  /** Whether new requests are served by this version of the tool. */
  serves(tool: Declaration): boolean
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
  /** Ends those of a tool that wait on a version that serves no more: no request goes on with them. */
  retire(tool: string): void
  /** Ends all of them. */
  close(reason: string): void
  /** How many wait. */
  readonly count: number
}

export class Parked implements ParkedCalls, Yard {
  readonly dispatch: Dispatch
  readonly patience: number
  readonly #waiting = new Map<string, ParkedCall>()
  readonly #places: Places
  readonly #serves: ParkedParts['serves']
  #closed: string | undefined

  constructor({ config, dispatch, serves }: ParkedParts) {
    this.dispatch = dispatch
    this.#serves = serves
    this.patience = config.timeouts.ask
    this.#places = new Places(config.sessions)
  }

  get count(): number {
    return this.#waiting.size
  }

  begin(link: Link, visit: Visit): Promise<Turn> {
    return new ParkedCall(this, link, visit).begin(visit)
  }

  async resume(id: string, link: Link, visit: Visit, responses: unknown): Promise<Turn> {
    if (this.#closed !== undefined) throw shuttingDown(this.#closed)
    const call = this.#waiting.get(id)
    if (call?.caller.id !== link.caller.id || call.tool !== link.tool.name) throw unknown()
    return call.resume(visit, link, responses)
  }

  retire(tool: string): void {
    for (const call of [...this.#waiting.values()]) {
      if (call.tool === tool && !this.#serves(call.link.tool)) call.fail(changed(tool))
    }
  }

  close(reason: string): void {
    this.#closed ??= reason
    for (const call of this.#places.all()) call.fail(shuttingDown(reason))
  }

  enter(call: ParkedCall): void {
    if (this.#closed !== undefined) throw shuttingDown(this.#closed)
    this.#places.take(call)
  }

  leave(call: ParkedCall): void {
    this.#places.leave(call)
  }

  park(call: ParkedCall): string {
    if (!this.#serves(call.link.tool)) throw changed(call.tool)
    const id = newId()
    this.#waiting.set(id, call)
    return id
  }

  unpark(id: string): void {
    this.#waiting.delete(id)
  }
}

/** The same for all, so that nothing is told of the calls of others. */
function unknown(): ToolgateError {
  const message =
    'No call waits for this: it was gone on with already, has expired, or made room for a newer ' +
    'one. Call again from the start.'
  return new ToolgateError('invalid_params', message)
}

/** Its state would be refused, because it is of another version. */
function changed(tool: string): ToolgateError {
  const message = `The tool "${tool}" has changed while the call asked its client. Call again.`
  return new ToolgateError('unavailable', message, { retryAfter: 1 })
}

function shuttingDown(reason: string): ToolgateError {
  return new ToolgateError('shutting_down', `The call waits no longer: ${reason}.`, {
    retryAfter: 5,
  })
}
