import type { CallTrace } from '../../call/call.ts'
import type { Visit as CallVisit } from '../../dispatch/parked.ts'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { errorMessage } from '../../protocol/read.ts'
import { encodeEvent, eventParts } from '../../protocol/sse.ts'
import { answerJson, type Visit } from '../door.ts'
import { EventStream } from '../event-stream.ts'
import { failureOf } from '../failure.ts'
import type { Reader } from './link.ts'
import type { Patience } from './patience.ts'
import { statusOf, statusOfCode } from './status.ts'

/**
 * The answer to one modern request. It is JSON in one write, with a status of its own, until there
 * is something to say before it or it takes long: then it is an event stream, which cannot be
 * resumed. A client that goes away has given its request up.
 */
export class ModernReply implements CallVisit, Reader {
  /** What is called; a retry may stand for an earlier request. */
  request: Message
  /** Where the answer goes, and what its headers say. */
  visit: Visit
  readonly trace: CallTrace
  readonly #limit: number
  readonly #gone = new AbortController()
  #stream: EventStream | undefined
  #patience: Patience | undefined
  #over = false

  /** `limit`: bytes that may be unread before a client is cut off. */
  constructor(visit: Visit, request: Message, limit: number) {
    this.request = request
    this.trace = { ...visit.trace, entrance: 'modern' }
    this.visit = visit
    this.#limit = limit
    visit.res.once('close', () => this.#closed())
    // It may have gone while its tool was looked up, and says so only once.
    if (visit.res.destroyed) this.#closed()
  }

  /** Aborted when the client goes away before its answer. */
  get signal(): AbortSignal {
    return this.#gone.signal
  }

  /** When that is over it is an event stream, so that proxies and clients see it alive. */
  wait(patience: Patience): void {
    if (this.#over) return
    this.#patience = patience
    patience.start(this)
  }

  notify(message: Message): void {
    if (this.#over) return
    this.open()
    this.#write(message)
  }

  pressure(): Promise<void> | undefined {
    return this.#stream?.pressure()
  }

  /** Becomes an event stream now. */
  open(): void {
    this.#patience?.stop(this)
    if (this.#stream !== undefined || this.#over) return
    this.#stream = new EventStream(this.visit, [], this.#limit, () => {})
  }

  /** The last thing that is said. */
  answer(message: Message): void {
    this.#last(message, statusOf(message), [])
  }

  /** There is no answer of the tool's. */
  fail(thrown: unknown): void {
    const { error, status, message } = failureOf(thrown, this.request)
    const { code, rpc, retryAfter } = error
    // Whoever gave it up, a client that is still here is told.
    const said = message ?? errorMessage(this.request.id ?? null, rpc, error.message)
    const chosen = code === 'cancelled' ? 200 : (statusOfCode(rpc) ?? status)
    const later = chosen === 200 || !retryAfter ? [] : ['Retry-After', String(retryAfter)]
    this.#last(said, chosen, later)
  }

  /** Says the last thing, and gives up whatever is still going on for it. */
  end(message: Message): void {
    this.answer(message)
    this.#gone.abort(new ToolgateError('cancelled', 'It has been answered.'))
  }

  #last(message: Message, status: number, more: readonly string[]): void {
    if (this.#over) return
    this.#over = true
    this.#patience?.stop(this)
    if (this.#stream === undefined) {
      answerJson(this.visit, status, message.bytes, more)
      return
    }
    this.#write(message)
    this.#stream.end()
  }

  #write({ bytes }: Message): void {
    const event = { event: 'message', data: bytes }
    if (bytes.length > SMALL) this.#stream?.write(...eventParts(event))
    else this.#stream?.write(encodeEvent(event))
  }

  #closed(): void {
    if (this.#over) return
    this.#over = true
    this.#patience?.stop(this)
    this.#gone.abort(new ToolgateError('cancelled', 'The client went away.'))
  }
}

/** Up to here one copy is cheaper than three writes. */
const SMALL = 64 * 1024
