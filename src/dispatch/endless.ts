import type { Call } from '../call/call.ts'

/**
 * A listen lasts until its client or its tool ends it: no limit of time, nobody waits for its end.
 * To a legacy client its name means nothing.
 */
export function isEndless({ link, request }: Pick<Call, 'link' | 'request'>): boolean {
  return request.method === 'subscriptions/listen' && link.era === 'modern'
}
