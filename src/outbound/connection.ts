import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { JsonObject, Message } from '../protocol/message.ts'

/** How one instance is spoken to, for one link alone or for many. */
export interface Connection {
  /** Takes part in what the instance says outside calls. */
  attach(link: Link): void
  /** Ends that; what the link had subscribed to is given up, its calls are cancelled. */
  detach(link: Link, reason: string): void
  /**
   * Sends a request and resolves with the tool's result or error, under the client's id.
   * Rejects with `tool_gone`, `cancelled`, `conflict` (the id is in use).
   */
  call(call: Call): Promise<Message>
  /** Passes a notification or a response on. */
  tell(link: Link, message: Message): void
  /** Gives a call up: the tool is sent `cancelled`, the call's promise rejects with `reason`. */
  cancel(call: Call, reason: Error): void
  /** Resolves when the process answers anything within `milliseconds`: true, else false. */
  alive(milliseconds: number): Promise<boolean>
  /** The requests that are open, else the last one: whose the tool's stderr most likely is. */
  serving(): Serving | undefined
  /** Time that calls of this link have spent waiting for their client's answers. */
  asking(link: Link): Asking
}

/** A connection that many links may share. */
export interface SharedConnection extends Connection {
  /** A request of our own. Rejects with `timeout` after `milliseconds`, or `tool_gone`. */
  ask(method: string, params: JsonObject, milliseconds: number): Promise<Message>
  /** Subscribes the process to what its predecessor was subscribed to. */
  resubscribe(): void
  /** Resolves when no client's call is open, or after `milliseconds`. */
  drained(milliseconds: number): Promise<void>
  /**
   * The tool has not answered a call that was given up, and what it says does not name the call it
   * is about: it may be about that one.
   */
  readonly owes: boolean
}

export type Serving = { readonly requestId: string } | { readonly requestIds: readonly string[] }

export interface Asking {
  /** Milliseconds, up to now. */
  readonly total: number
  /** Milliseconds that the oldest open question waits; undefined: none is open. */
  readonly open: number | undefined
}

/** What a pool is told by its connections. */
export interface ConnectionEvents {
  /** The tool's functions, prompts or resources changed. */
  listChanged(): void
}
