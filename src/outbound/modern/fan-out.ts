import type { Link } from '../../call/link.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { isUri } from '../legacy/answer-here.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { withParams } from './exactly.ts'

/** Gives legacy sessions what the tool says on our listen: an update to those it is for. */
export function fanOut(
  message: Message,
  links: Iterable<Link>,
  subscriptions: Subscriptions,
): void {
  const plain = withoutSubscription(message)
  if (message.method === 'notifications/resources/updated') {
    const uri = (plain.json().params as JsonObject | undefined)?.uri
    if (!isUri(uri)) return
    for (const link of subscribers(uri, subscriptions)) link.deliver(plain)
    return
  }
  for (const link of links) {
    if (link.era === 'legacy' && link.kind === 'session') link.deliver(plain)
  }
}

/** Whoever subscribed to the resource, or to one that it is part of; each once. */
function subscribers(uri: string, subscriptions: Subscriptions): Set<Link> {
  const found = new Set(subscriptions.of(uri))
  let part = uri
  for (let depth = 0; depth < MOST_DEPTH; depth += 1) {
    const cut = Math.max(...['/', '?', '#'].map((mark) => part.lastIndexOf(mark)))
    if (cut < 0) break
    part = part.slice(0, cut)
    for (const whole of [part, `${part}/`]) {
      for (const link of subscriptions.of(whole)) found.add(link)
    }
  }
  return found
}

const MOST_DEPTH = 32

function withoutSubscription(message: Message): Message {
  return withParams(message, ({ _meta: meta, ...params }) => {
    const { [META.subscriptionId]: _id, ...others } = isObject(meta) ? meta : {}
    const kept = Object.keys(others).length === 0 ? params : { _meta: others, ...params }
    return Object.keys(kept).length === 0 ? undefined : kept
  })
}
