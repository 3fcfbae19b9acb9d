import type { ServerResponse } from 'node:http'
import type { Caller } from '../call/caller.ts'
import type { Capabilities } from '../call/link.ts'
import type { Config } from '../config/config.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'
import { EventStore } from './event-store.ts'
import type { OpenCall, PostedLink } from './posted-link.ts'
import { Questions } from './questions.ts'
import { SessionStream } from './session-stream.ts'

export interface SessionOptions {
  readonly id: string
  readonly tool: Declaration
  readonly caller: Caller
  readonly config: Config
  readonly traceparent?: string
  /** Called once, when it ends. */
  readonly onEnd: (session: Session, reason: string) => void
}

/** A legacy client's link over Streamable HTTP: initialize to close. */
export class Session implements PostedLink {
  readonly id: string
  readonly kind = 'session'
  readonly era = 'legacy'
  readonly tool: Declaration
  readonly caller: Caller
  readonly traceparent?: string
  readonly questions = new Questions()
  capabilities: Capabilities = {}
  clientInfo?: JsonObject
  hello?: Message
  logLevel?: string
  version = ''
  /** `performance.now()` after which it ends, unless something happens. */
  deadline = Number.POSITIVE_INFINITY
  readonly #options: SessionOptions
  readonly #store: EventStore
  readonly #server: SessionStream
  readonly #streams = new Map<number, SessionStream>()
  readonly #calls = new Set<OpenCall>()
  /** Answers that their client has not read yet. */
  readonly #unread = new Set<ServerResponse>()
  #lastStream = 0
  #connections = 0
  /** The last connection was not closed by us, and no other has come since. */
  #broken = false
  #over = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.id = options.id
    this.tool = options.tool
    this.caller = options.caller
    if (options.traceparent !== undefined) this.traceparent = options.traceparent
    this.#store = new EventStore(options.config.sessions.events, options.config.sizes.events)
    this.#server = new SessionStream(0, this.#store)
  }

  get over(): boolean {
    return this.#over
  }

  /** Nothing is open: it may be ended to make room for another. */
  get unused(): boolean {
    return this.version !== '' && this.#connections === 0 && this.#calls.size === 0
  }

  /**
   * A message from outside any call goes on the only open call's stream, else on the server's,
   * else on the oldest call's, and never on two; rather on one whose client is there.
   */
  deliver(message: Message): void {
    const calls = [...this.#calls]
    const live = calls.filter((call) => call.live)
    const [oldest] = live.length > 0 ? live : calls
    const served = this.#server.live !== undefined
    if (oldest !== undefined && (!served || (calls.length === 1 && oldest.live))) {
      oldest.carry(message)
    } else this.#server.write(message)
  }

  pressure(): Promise<void> | undefined {
    const waits: Promise<void>[] = []
    for (const source of [this.#server.live, ...this.#calls]) {
      const wait = source?.pressure()
      if (wait !== undefined) waits.push(wait)
    }
    for (const res of this.#unread) waits.push(closed(res))
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => {})
  }

  ended(reason: string): void {
    this.end(reason)
  }

  /** Ends it, once: its streams close, its lease is given back. */
  end(reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#server.finish()
    this.#options.onEnd(this, reason)
  }

  sent(res: ServerResponse): void {
    if (res.writableLength < UNREAD) return
    this.#unread.add(res)
    res.once('close', () => this.#unread.delete(res))
  }

  /** A stream for a call that has more to say than its answer. */
  openStream(): SessionStream {
    const stream = new SessionStream(++this.#lastStream, this.#store)
    this.#streams.set(stream.id, stream)
    this.#prune()
    return stream
  }

  /** The stream of an earlier call, while anything of it can still be sent. */
  findStream(id: number): SessionStream | undefined {
    return id === 0 ? this.#server : this.#streams.get(id)
  }

  /** True when all that was sent on a stream after `sequence` is still kept. */
  keeps(stream: number, sequence: number): boolean {
    return this.#store.after(stream, sequence) !== undefined
  }

  begin(call: OpenCall): void {
    this.#calls.add(call)
    this.deadline = Number.POSITIVE_INFINITY
  }

  finish(call: OpenCall): void {
    this.questions.drop(call)
    this.#calls.delete(call)
    this.#rest()
  }

  /** A connection of this session opens; call what is returned when it closes. */
  connect(): (broken: boolean) => void {
    this.#connections += 1
    this.#broken = false
    this.deadline = Number.POSITIVE_INFINITY
    let closed = false
    return (broken) => {
      if (closed) return
      closed = true
      this.#connections -= 1
      if (broken) this.#broken = true
      this.#rest()
    }
  }

  /** Something came in: the time to be idle begins anew. */
  touch(): void {
    this.#broken = false
    this.deadline = Number.POSITIVE_INFINITY
    this.#rest()
  }

  #rest(): void {
    if (this.#connections > 0) return
    // A call goes on without its connection, but nobody may ever come back for its answer.
    if (this.#calls.size > 0 && !this.#broken) return
    const { resume, idle } = this.#options.config.sessions
    const deadline = performance.now() + (this.#broken ? resume : idle)
    // The end of a call is no sign of life of a client that went away before.
    this.deadline = this.#broken ? Math.min(this.deadline, deadline) : deadline
  }

  /** Streams that are over and of which nothing is kept cannot be resumed. */
  #prune(): void {
    if (this.#streams.size <= PRUNE_AT) return
    for (const [id, stream] of this.#streams) {
      if (stream.finished && !this.#store.has(id)) this.#streams.delete(id)
    }
  }
}

const PRUNE_AT = 64
/** Bytes of an answer that the kernel did not take at once. */
const UNREAD = 64 * 1024

function closed(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => res.once('close', resolve))
}
