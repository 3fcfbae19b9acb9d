import type { CallTrace } from '../call/call.ts'
import type { Message } from '../protocol/message.ts'
import { errorMessage } from '../protocol/read.ts'
import { answerEmpty, type Visit } from './door.ts'
import { EventStream } from './event-stream.ts'
import { failureOf } from './failure.ts'
import { type AnyReply, dataOf, run } from './reply.ts'
import type { OpenCall, Session } from './session.ts'
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
  for (const message of messages) {
    if (message.kind !== 'request') parts.dispatch.tell(session, message)
  }
  session.touch()
  if (requests.length === 0) return answerEmpty(visit, 202)
  const disconnect = session.connect()
  visit.res.once('close', () => disconnect(!visit.res.writableFinished))
  const stream = session.openStream()
  stream.attach(new EventStream(visit, [], parts.config.sizes.line, () => {}))
  const replies = requests.map((request) => new BatchReply(session, request, visit.trace, stream))
  await Promise.all(replies.map((reply) => run(parts, reply)))
  stream.finish()
}

class BatchReply implements AnyReply, OpenCall {
  readonly link: Session
  readonly request: Message
  readonly trace: CallTrace
  readonly #stream: SessionStream

  constructor(session: Session, request: Message, trace: CallTrace, stream: SessionStream) {
    this.link = session
    this.request = request
    this.trace = trace
    this.#stream = stream
    session.begin(this)
  }

  notify(message: Message): void {
    this.#stream.write(message)
  }

  carry(message: Message): void {
    this.#stream.write(message)
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
    const { error } = failureOf(thrown)
    if (error.code === 'cancelled') return
    const { id } = this.request
    this.#stream.write(errorMessage(id ?? null, error.rpc, error.message, dataOf(error)))
  }
}
