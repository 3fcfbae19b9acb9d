import type { CallTrace } from '../call/call.ts'
import type { Message } from '../protocol/message.ts'
import { answerEmpty, type Visit } from './door.ts'
import { EventStream } from './event-stream.ts'
import { failureOf } from './failure.ts'
import { hear } from './legacy-link.ts'
import type { OpenCall } from './posted-link.ts'
import { type AnyReply, type Ask, run } from './reply.ts'
import type { Session } from './session.ts'
import type { SessionStream } from './session-stream.ts'
import type { WireParts } from './wire.ts'

/** A batch (2025-03-26 only): each answer is an event of its own, on one stream. */
export async function answerBatch(
  parts: WireParts,
  session: Session,
  visit: Visit,
  messages: readonly Message[],
): Promise<void> {
  const requests = messages.filter(({ kind }) => kind === 'request')
  const tell = (message: Message) => hear(parts.dispatch, session, message)
  const tellOn = (stream: SessionStream, message: Message) => {
    try {
      tell(message)
    } catch (thrown) {
      const { message: answer } = failureOf(thrown, message)
      if (answer !== undefined) stream.write(answer)
    }
  }
  session.touch()
  if (requests.length === 0) {
    messages.forEach(tell)
    return answerEmpty(visit, 202)
  }
  const disconnect = session.connect()
  visit.res.once('close', () => disconnect(!visit.res.writableFinished))
  const stream = session.openStream()
  stream.attach(new EventStream(visit, [], parts.config.sizes.line, () => {}))
  // In the order they came: what is cancelled has been called before.
  const running = messages.map((message) => {
    if (message.kind !== 'request') return tellOn(stream, message)
    return run(parts, new BatchReply(session, message, visit.trace, stream))
  })
  await Promise.all(running)
  stream.finish()
}

class BatchReply implements AnyReply, OpenCall {
  readonly link: Session
  readonly request: Message
  readonly trace: CallTrace
  over = false
  readonly #stream: SessionStream

  constructor(session: Session, request: Message, trace: CallTrace, stream: SessionStream) {
    this.link = session
    this.request = request
    this.trace = trace
    this.#stream = stream
    session.begin(this)
  }

  get ask(): Ask {
    const { questions, version } = this.link
    return (requests) => questions.ask(this, requests, version)
  }

  notify(message: Message): void {
    this.#stream.write(message)
  }

  carry(message: Message): void {
    this.#stream.write(message)
  }

  get live(): boolean {
    return this.#stream.live !== undefined
  }

  pressure(): Promise<void> | undefined {
    return this.#stream.live?.pressure()
  }

  answer(message: Message): void {
    this.link.finish(this)
    this.#stream.write(message)
  }

  fail(thrown: unknown): void {
    this.link.finish(this)
    const { message } = failureOf(thrown, this.request)
    if (message !== undefined) this.#stream.write(message)
  }
}
