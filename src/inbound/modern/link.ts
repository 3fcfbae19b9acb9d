import type { Caller } from '../../call/caller.ts'
import type { Capabilities, Link } from '../../call/link.ts'
import { newId } from '../../call/new-id.ts'
import type { JsonObject } from '../../protocol/message.ts'
import type { Declaration } from '../../tool/declaration.ts'
import type { Visit } from '../door.ts'
import type { RequestMeta } from './meta.ts'

/** The link of one modern request: all that is known of its client came with it. */
export class ModernLink implements Link {
  readonly kind = 'request'
  readonly era = 'modern'
  readonly tool: Declaration
  readonly caller: Caller
  readonly capabilities: Capabilities
  readonly clientInfo?: JsonObject
  readonly logLevel?: string
  readonly traceparent?: string
  readonly #reader: Reader
  #id: string | undefined

  constructor(tool: Declaration, { caller, trace }: Visit, meta: RequestMeta, reader: Reader) {
    this.tool = tool
    this.caller = caller
    this.capabilities = meta.capabilities
    if (meta.clientInfo !== undefined) this.clientInfo = meta.clientInfo
    if (meta.logLevel !== undefined) this.logLevel = meta.logLevel
    if (trace.traceparent !== undefined) this.traceparent = trace.traceparent
    this.#reader = reader
  }

  /** Made when it is first asked for: most requests are over before anyone does. */
  get id(): string {
    this.#id ??= newId()
    return this.#id
  }

  pressure(): Promise<void> | undefined {
    return this.#reader.pressure()
  }

  /** Nothing is said to a modern client outside its calls. */
  deliver(): void {}

  /** Its one call is told. */
  ended(): void {}
}

/** Whoever reads what the tool says. */
export interface Reader {
  pressure(): Promise<void> | undefined
}
