import type { Call, CallTrace } from '../call/call.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import { ToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { answerEmpty, answerJson, type Visit } from './door.ts'
import { EventStream } from './event-stream.ts'
import { failureOf } from './failure.ts'
import { type LegacyLink, settle } from './legacy-link.ts'
import type { OpenCall, PostedLink } from './posted-link.ts'
import type { SessionStream } from './session-stream.ts'
import type { WireParts } from './wire.ts'

/**
 * The answer to one POSTed request. A quick answer is JSON in one write; as soon as
 * there is more to say, or it takes a while, it becomes an event stream that can be resumed.
 */
export class Reply implements AnyReply, OpenCall {
  readonly link: PostedLink
  readonly request: Message
  readonly trace: CallTrace
  over = false
  readonly #visit: Visit
  readonly #limit: number
  readonly #disconnect: (broken: boolean) => void
  #stream: SessionStream | undefined
  #gone = false
  #patience: NodeJS.Timeout | undefined

  constructor(link: PostedLink, request: Message, visit: Visit, limit: number) {
    this.link = link
    this.request = request
    this.trace = visit.trace
    this.#visit = visit
    this.#limit = limit
    this.#disconnect = link.connect()
    visit.res.once('close', () => this.#closed())
    link.begin(this)
    this.#patience = setTimeout(() => this.#open(), PATIENCE)
    // It may have gone while its session was looked up, and says so only once.
    if (visit.res.destroyed) this.#closed()
  }

  /**
   * Made for those who look. A function assigned to a property is made in V8's old space: each
   * would hold its whole request, long answered, until the next full collection.
   */
  get ask(): Call['ask'] {
    const { questions, version } = this.link
    return questions && ((requests) => questions.ask(this, requests, version))
  }

  notify(message: Message): void {
    this.carry(message)
  }

  carry(message: Message): void {
    this.#open().write(message)
  }

  /** Its client is there, and can be sent more. */
  get live(): boolean {
    return !this.#gone
  }

  pressure(): Promise<void> | undefined {
    return this.#stream?.live?.pressure()
  }

  /** The tool's answer: the last thing that is said. */
  answer(message: Message): void {
    this.#finish()
    if (this.#stream === undefined) {
      const headers = message.kind === 'result' ? this.#headers() : []
      answerJson(this.#visit, 200, message.bytes, headers)
      this.link.sent?.(this.#visit.res)
    } else {
      this.#stream.write(message)
      this.#stream.finish()
    }
  }

  /** There is no answer of the tool's. */
  fail(thrown: unknown): void {
    this.#finish()
    const { error, status, message } = failureOf(thrown, this.request)
    if (this.#stream === undefined) {
      const { retryAfter } = error
      const later = status === 200 || !retryAfter ? [] : ['Retry-After', String(retryAfter)]
      // A cancelled request is not answered (MCP, cancellation); the POST has to be.
      if (message === undefined) answerEmpty(this.#visit, 202)
      else answerJson(this.#visit, status, message.bytes, later)
      return
    }
    if (message !== undefined) this.#stream.write(message)
    this.#stream.finish()
  }

  #open(): SessionStream {
    if (this.#stream !== undefined) return this.#stream
    clearTimeout(this.#patience)
    const stream = this.link.openStream()
    this.#stream = stream
    if (this.#gone) return stream
    const broken = () => this.#disconnect(true)
    stream.attach(new EventStream(this.#visit, this.#headers(), this.#limit, broken))
    if (this.link.version >= PRIMED) stream.prime()
    return stream
  }

  /** How the client learns of its session. */
  #headers(): string[] {
    return this.request.method === 'initialize' ? ['Mcp-Session-Id', this.link.id] : []
  }

  #finish(): void {
    clearTimeout(this.#patience)
    this.link.finish(this)
  }

  /** In the legacy era a disconnect is no cancel: the call goes on. */
  #closed(): void {
    this.#gone = true
    this.#disconnect(!this.#visit.res.writableFinished)
  }
}

/** Milliseconds within which an answer may still be plain JSON. */
const PATIENCE = 200
/** The first version that knows the priming event. */
export const PRIMED = '2025-11-25'

/** Calls within the tool's scope, once it is initialized, and answers. */
export async function run(
  { dispatch, checkScope }: Pick<WireParts, 'dispatch' | 'checkScope'>,
  reply: AnyReply,
): Promise<void> {
  const { link, request } = reply
  try {
    if (request.method === 'initialize') {
      throw new ToolgateError('bad_request', 'This session has been initialized already.')
    }
    checkScope(link, request)
  } catch (thrown) {
    return reply.fail(thrown)
  }
  return complete(dispatch, reply)
}

/** Calls and answers. */
export async function complete(dispatch: Dispatch, reply: AnyReply): Promise<void> {
  try {
    const answer = await dispatch.call(reply)
    settle(reply.link, reply.request, answer)
    reply.answer(answer)
  } catch (thrown) {
    reply.fail(thrown)
  }
}

/** A call that takes its own answer back to the client. */
export interface AnyReply extends Call {
  readonly link: LegacyLink
  answer(message: Message): void
  fail(thrown: unknown): void
}

export type Ask = NonNullable<Call['ask']>
