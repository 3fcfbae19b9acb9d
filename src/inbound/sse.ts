import type { CallTrace } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import type { Capabilities } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { readClientMessage } from '../protocol/read.ts'
import { encodeEvent, eventParts } from '../protocol/sse.ts'
import type { Declaration } from '../tool/declaration.ts'
import { readBody } from './body.ts'
import { answerEmpty, checkContentType, type Visit } from './door.ts'
import { EventStream } from './event-stream.ts'
import { failureOf } from './failure.ts'
import { hear, introduce, type LegacyLink } from './legacy-link.ts'
import { Questions } from './questions.ts'
import { type AnyReply, type Ask, complete, run } from './reply.ts'
import type { Kept } from './sessions.ts'
import { newSessionId } from './sessions.ts'
import type { WireParts } from './wire.ts'

/** GET of MCP HTTP+SSE (2024-11-05): opens a session that lives as long as this stream. */
export async function openSse(
  { config, dispatch, sessions }: WireParts,
  tool: Declaration,
  visit: Visit,
): Promise<void> {
  const session = new SseSession(tool, visit, (ended, reason) => {
    sessions.remove(ended, reason)
    dispatch.close(ended, reason)
  })
  if (visit.res.destroyed) return
  sessions.add(session)
  visit.res.once('close', () => session.end('the client closed its stream'))
  try {
    await dispatch.open(session)
  } catch (error) {
    session.end('it could not be opened')
    throw error
  }
  if (session.over) return dispatch.close(session, 'the client closed its stream')
  session.start(new EventStream(visit, [], config.sizes.line, () => {}))
}

/** POST of HTTP+SSE: one message, answered on the session's stream. */
export async function postSse(
  parts: WireParts,
  tool: Declaration,
  visit: Visit,
  sessionId: string | null,
): Promise<void> {
  const { config, dispatch, sessions } = parts
  if (sessionId === null) throw new ToolgateError('bad_request', 'sessionId is needed in the URL.')
  const session = sessions.find(sessionId, tool.name, visit.caller)
  if (!(session instanceof SseSession)) {
    throw new ToolgateError('unknown_session', 'The session is unknown or has ended.')
  }
  checkContentType(visit)
  const body = await readBody(visit.req, config.sizes.body)
  const [message] = readClientMessage(body, { allowBatch: false }) as [Message]
  if (message.kind === 'request') {
    answerEmpty(visit, 202)
    const reply = new SseReply(session, message, visit.trace)
    return message.method === 'initialize' && session.begin(message)
      ? complete(dispatch, reply)
      : run(parts, reply)
  }
  hear(dispatch, session, message)
  answerEmpty(visit, 202)
}

/** A 2024-11-05 client's link: one stream carries everything to it, and its end ends all. */
class SseSession implements LegacyLink, Kept {
  readonly id = newSessionId()
  readonly kind = 'session'
  readonly era = 'legacy'
  readonly deadline = Number.POSITIVE_INFINITY
  /** Its stream is always open, so it never makes room for another. */
  readonly unused = false
  readonly tool: Declaration
  readonly caller: Caller
  readonly traceparent?: string
  readonly questions = new Questions()
  capabilities: Capabilities = {}
  clientInfo?: JsonObject
  logLevel?: string
  version = ''
  over = false
  readonly #onEnd: (session: SseSession, reason: string) => void
  #stream: EventStream | undefined
  #begun = false

  constructor(
    tool: Declaration,
    { caller, trace }: Visit,
    onEnd: (session: SseSession, reason: string) => void,
  ) {
    this.tool = tool
    this.caller = caller
    if (trace.traceparent !== undefined) this.traceparent = trace.traceparent
    this.#onEnd = onEnd
  }

  /** Takes what its client can do from the first initialize; false for any other. */
  begin(initialize: Message): boolean {
    if (this.#begun) return false
    this.#begun = true
    introduce(this, initialize)
    return true
  }

  start(stream: EventStream): void {
    this.#stream = stream
    const data = `/mcp/${this.tool.name}/messages?sessionId=${this.id}`
    stream.write(encodeEvent({ event: 'endpoint', data }))
  }

  deliver({ bytes }: Message): void {
    this.#stream?.write(...eventParts({ event: 'message', data: bytes }))
  }

  pressure(): Promise<void> | undefined {
    return this.#stream?.pressure()
  }

  ended(reason: string): void {
    this.end(reason)
  }

  end(reason: string): void {
    if (this.over) return
    this.over = true
    this.#onEnd(this, reason)
    // The calls that were open are answered first, in the turns that their rejections take.
    setImmediate(() => this.#stream?.end())
  }
}

class SseReply implements AnyReply {
  readonly link: SseSession
  readonly request: Message
  readonly trace: CallTrace
  over = false

  constructor(session: SseSession, request: Message, trace: CallTrace) {
    this.link = session
    this.request = request
    this.trace = { ...trace, entrance: 'sse' }
  }

  get ask(): Ask {
    const { questions, version } = this.link
    return (requests) => questions.ask(this, requests, version)
  }

  notify(message: Message): void {
    this.link.deliver(message)
  }

  carry(message: Message): void {
    this.link.deliver(message)
  }

  answer(message: Message): void {
    this.link.questions.drop(this)
    this.link.deliver(message)
  }

  fail(thrown: unknown): void {
    this.link.questions.drop(this)
    const { message } = failureOf(thrown, this.request)
    if (message !== undefined) this.link.deliver(message)
  }
}
