import type { Link } from '../../call/link.ts'
import { withParams } from '../../protocol/edited.ts'
import type { Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { isListChanged } from '../messages.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { isUri } from '../uri.ts'

/**
 * Gives legacy sessions what the tool says on our listen: an update to those it is for. What
 * nobody listens for is for nobody, whatever the tool says it is.
 */
export function fanOut(
  message: Message,
  links: Iterable<Link>,
  subscriptions: Subscriptions,
): void {
  if (message.method === 'notifications/resources/updated') {
    const { params } = message.json()
    const uri = isObject(params) ? params.uri : undefined
    if (!isUri(uri)) return
    const plain = withoutSubscription(message)
    for (const link of subscriptions.concernedBy(uri)) link.deliver(plain)
  } else if (isListChanged(message)) {
    const plain = withoutSubscription(message)
    for (const link of links) {
      if (link.era === 'legacy' && link.kind === 'session') link.deliver(plain)
    }
  }
}

function withoutSubscription(message: Message): Message {
  return withParams(message, ({ _meta: meta, ...params }) => {
    const { [META.subscriptionId]: _id, ...others } = isObject(meta) ? meta : {}
    const kept = Object.keys(others).length === 0 ? params : { _meta: others, ...params }
    return Object.keys(kept).length === 0 ? undefined : kept
  })
}
