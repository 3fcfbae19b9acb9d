import type { Link } from '../../call/link.ts'
import type { Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { resultMessage } from '../../protocol/read.ts'
import type { Listens } from './listens.ts'
import { Patience } from './patience.ts'
import type { ModernReply } from './reply.ts'
import { type ShownParts, shown } from './shown.ts'
import { type TurnParts, takeTurn } from './turn.ts'

export interface ListenParts extends ShownParts, TurnParts {
  readonly listens: Listens
}

/**
 * Answers `subscriptions/listen` until either side ends it: always as an event stream, unless it is
 * refused before anything was said. Rejects with `unavailable`, or what the call fails with.
 */
export async function answerListen(
  parts: ListenParts,
  link: Link,
  reply: ModernReply,
): Promise<void> {
  const { request } = reply
  const listen = { tool: link.tool.name, end: () => reply.end(goodbye(request)) }
  parts.listens.add(listen)
  reply.wait(patience)
  try {
    const answer = shown(parts, link, request, await takeTurn(parts, link, reply))
    if (answer.kind === 'result') reply.open()
    reply.answer(answer)
  } finally {
    parts.listens.remove(listen)
  }
}

/** Milliseconds in which it may still be refused with a status of its own. */
const patience = new Patience(1000)

/** Tells the client that it may listen anew, and need not fear that anything went wrong. */
function goodbye({ id = 0 }: Message): Message {
  return resultMessage(id, { resultType: 'complete', _meta: { [META.subscriptionId]: id } })
}
