import type { Era, Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Caller } from './caller.ts'

/** What stands between calls: a legacy session, a listen, or one request alone. */
export interface Link {
  /** `{replica}.{random}`, unguessable. */
  readonly id: string
  /** `session`: bound to a client's session; `request`: one request, no session. */
  readonly kind: 'session' | 'request'
  /** The version this link began with. */
  readonly tool: Declaration
  readonly caller: Caller
  readonly era: Era
  /** What this client can answer; empty where nothing can be asked. */
  readonly capabilities: Capabilities
  /** Who the client says it is: name and version. */
  readonly clientInfo?: Readonly<Record<string, unknown>>
  /** The `initialize` that a legacy session begins with; absent: none yet, or a very long one. */
  readonly hello?: Message
  /** The least severe log level the client wants; absent: it wants none, or did not say. */
  readonly logLevel?: string
  /** W3C trace context of the request that opened it. */
  readonly traceparent?: string
  /** A message from the tool outside any call. */
  deliver(message: Message): void
  /** Pending while the client reads too slowly; an instance of the link's own is not read then. */
  pressure(): Promise<void> | undefined
  /** The instance behind this link is gone; called once, with what happened to the tool. */
  ended(reason: string): void
}

/** MCP client capabilities, as sent at initialize. */
export type Capabilities = Readonly<Record<string, unknown>>
