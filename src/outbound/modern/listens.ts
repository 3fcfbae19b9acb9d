import { compose } from '../../protocol/composed-message.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { resultMessage, withId } from '../../protocol/read.ts'
import { exactly } from './exactly.ts'

export const LISTEN = 'subscriptions/listen'

/** What ends a listen without anything having gone wrong. */
export function goodbye(id: Id): Message {
  return resultMessage(id, { resultType: 'complete' })
}

/** What ends a client's listen, under the client's id. */
export function endOfListen(answer: Message, id: Id): Message {
  if (answer.kind === 'error') return withId(answer, id)
  const written = exactly(answer)
  const result = isObject(written.result) ? written.result : {}
  const _meta = { ...(isObject(result._meta) && result._meta), [META.subscriptionId]: id }
  return compose({ kind: 'result', id }, { ...written, result: { ...result, _meta } })
}
