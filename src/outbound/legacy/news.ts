import type { Link } from '../../call/link.ts'
import { withParams } from '../../protocol/edited.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { ConnectionEvents } from '../connection.ts'
import { cancelledParams, isListChanged } from '../messages.ts'
import type { Requests } from '../requests.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { isUri } from '../uri.ts'
import type { Logs } from './logs.ts'
import type { Questions } from './questions.ts'
import type { Whose } from './whose.ts'

export interface NewsParts {
  readonly events: ConnectionEvents
  readonly requests: Requests
  readonly questions: Questions
  readonly logs: Logs
  readonly whose: Whose
  readonly subscriptions: Subscriptions
  /** All that share the process. */
  links(): Iterable<Link>
}

/** Takes a notification of a shared legacy process to whom it concerns, and to nobody else. */
export function spread(message: Message, parts: NewsParts): void {
  switch (message.method) {
    case 'notifications/progress':
      progress(message, parts)
      break
    case 'notifications/resources/updated':
      updated(message, parts)
      break
    case 'notifications/message':
      parts.logs.receive(message)
      break
    case 'notifications/cancelled':
      parts.questions.withdraw(cancelledParams(message).requestId)
      break
    case 'notifications/elicitation/complete':
      completed(message, parts)
      break
    default:
      if (isListChanged(message)) changed(message, parts)
  }
}

function progress(message: Message, { requests }: NewsParts): void {
  const { params } = message.json()
  if (!isObject(params)) return
  const { call, token } = requests.get(params.progressToken) ?? {}
  if (call === undefined || token === undefined) return
  call.notify(withParams(message, (own) => ({ ...own, progressToken: token })))
}

function updated(message: Message, { subscriptions }: NewsParts): void {
  const { params } = message.json()
  if (!isObject(params) || !isUri(params.uri)) return
  for (const link of subscriptions.concernedBy(params.uri)) {
    if (link.era === 'legacy') link.deliver(message)
    else subscriptions.listens.get(link)?.updated(message)
  }
}

/** The modern era has no such news: its clients call again. */
function completed(message: Message, { whose }: NewsParts): void {
  const call = whose.call(message)
  if (call?.link.era === 'legacy') call.notify(message)
}

function changed(message: Message, { events, subscriptions, links }: NewsParts): void {
  events.listChanged()
  for (const link of links()) if (link.era === 'legacy') link.deliver(message)
  for (const listen of subscriptions.listens.values()) listen.changed(message)
}
