import { withEdited } from '../../protocol/edited.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { resultMessage, withId } from '../../protocol/read.ts'

export const LISTEN = 'subscriptions/listen'

/** What ends a listen without anything having gone wrong. */
export function goodbye(id: Id): Message {
  return resultMessage(id, { resultType: 'complete' })
}

/** What ends a client's listen, under the client's id. */
export function endOfListen(answer: Message, id: Id): Message {
  if (answer.kind === 'error') return withId(answer, id)
  return withEdited(answer, id, (result) => {
    const own = isObject(result) ? result : {}
    const meta = isObject(own._meta) ? own._meta : {}
    return { ...own, _meta: { ...meta, [META.subscriptionId]: id } }
  })
}
