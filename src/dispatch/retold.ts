import type { Link } from '../call/link.ts'
import { progressTokenOf } from '../outbound/messages.ts'
import { isSevere } from '../protocol/log-level.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { notificationMessage } from '../protocol/read.ts'

/**
 * A notification of a call as a later request of its client is told it: progress under that
 * request's own token, logs where it wants them; undefined: not at all.
 */
export function retold(message: Message, request: Message, link: Link): Message | undefined {
  switch (message.method) {
    case 'notifications/progress': {
      const progressToken = progressTokenOf(request)
      if (progressToken === undefined) return undefined
      const params = message.json().params as JsonObject | undefined
      return notificationMessage(message.method, { ...params, progressToken })
    }
    case 'notifications/message':
      return wants(link, message) ? message : undefined
    default:
      return message
  }
}

/** It was the first request that told the tool how much to log. */
function wants({ era, logLevel }: Link, message: Message): boolean {
  if (logLevel === undefined) return era === 'legacy'
  const { level } = (message.json().params ?? {}) as JsonObject
  return isSevere(level, logLevel)
}
