import type { Call } from '../../call/call.ts'
import type { Caller } from '../../call/caller.ts'
import type { Capabilities, Link } from '../../call/link.ts'
import type { Era, JsonObject, Message } from '../../protocol/message.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { newSessionId } from '../sessions.ts'
import type { Kind } from './lists.ts'
import type { References } from './references.ts'

/** Whoever reads what a tool says outside its client's calls. */
export interface Listener {
  said(link: ToolLink, message: Message): void
  /** Its process is gone. */
  gone(link: ToolLink, reason: string): void
  /** It has ended, for whatever reason. */
  ended?(link: ToolLink, reason: string): void
}

/** A client's link to one of the tools behind `/mcp`: what its link to all of them stands on. */
export class ToolLink implements Link {
  readonly id = newSessionId()
  readonly kind: 'session' | 'request'
  readonly era: Era
  readonly tool: Declaration
  readonly caller: Caller
  readonly capabilities: Capabilities
  readonly clientInfo?: Readonly<Record<string, unknown>>
  readonly hello?: Message
  /** As its client has set it last. */
  logLevel?: string
  readonly traceparent?: string
  readonly references: References
  /** The client's calls that are open on it. */
  readonly calls = new Set<Call>()
  /** What the process declared that it offers. */
  offers: JsonObject = {}
  /** What it said has changed since it was last asked. */
  readonly stale = new Set<Kind>()
  /** The handshake is done. */
  ready = false
  /** Nothing can be sent on it any more. */
  over = false
  readonly #outer: Link
  readonly #listener: Listener

  /** `outer`: the client's link to all tools; `hello`: what the tool's own session begins with. */
  constructor(
    outer: Link,
    tool: Declaration,
    references: References,
    listener: Listener,
    hello?: Message,
  ) {
    const { kind, era, caller, capabilities, clientInfo, logLevel, traceparent } = outer
    this.kind = kind
    this.era = era
    this.tool = tool
    this.caller = caller
    this.capabilities = capabilities
    if (clientInfo !== undefined) this.clientInfo = clientInfo
    if (hello !== undefined) this.hello = hello
    if (logLevel !== undefined) this.logLevel = logLevel
    if (traceparent !== undefined) this.traceparent = traceparent
    this.references = references
    this.#outer = outer
    this.#listener = listener
  }

  deliver(message: Message): void {
    this.#listener.said(this, message)
  }

  pressure(): Promise<void> | undefined {
    return this.#outer.pressure()
  }

  ended(reason: string): void {
    this.#listener.gone(this, reason)
  }
}
