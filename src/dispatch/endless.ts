import type { Message } from '../protocol/message.ts'

/** A listen lasts until its client or its tool ends it: no limit of time, nobody waits for its end. */
export function isEndless({ method }: Message): boolean {
  return method === 'subscriptions/listen'
}
