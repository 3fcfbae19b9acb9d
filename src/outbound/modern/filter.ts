import { ToolgateError } from '../../errors.ts'
import type { JsonObject } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'

/** What a listen asks for. */
export interface Filter {
  readonly toolsListChanged?: true
  readonly promptsListChanged?: true
  readonly resourcesListChanged?: true
  readonly resourceSubscriptions?: readonly string[]
}

/** All that the tool offers of list changes, and of updates these. Throws `unavailable`. */
export function filterOf(capabilities: JsonObject, uris: Iterable<string>): Filter {
  const offers = (what: string, part: string) => {
    const offered = capabilities[what]
    return isObject(offered) && offered[part] === true
  }
  const subscribed = offers('resources', 'subscribe') ? [...uris] : []
  if (subscribed.reduce((sum, uri) => sum + uri.length, 0) > MOST_CHARACTERS) {
    throw new ToolgateError('unavailable', 'Too many resources of the tool are subscribed to.')
  }
  return {
    ...(offers('tools', 'listChanged') && { toolsListChanged: true }),
    ...(offers('prompts', 'listChanged') && { promptsListChanged: true }),
    ...(offers('resources', 'listChanged') && { resourcesListChanged: true }),
    ...(subscribed.length > 0 && { resourceSubscriptions: subscribed }),
  }
}

export function isEmpty(filter: Filter): boolean {
  return Object.keys(filter).length === 0
}

/** For filters of one tool: in whatever order their uris stand. */
export function isSame(one: Filter, other: Filter): boolean {
  const { resourceSubscriptions: ours = [] } = one
  const { resourceSubscriptions: theirs = [] } = other
  const known = new Set(ours)
  return ours.length === theirs.length && theirs.every((uri) => known.has(uri))
}

/** Of all uris together: the listen is one message. */
const MOST_CHARACTERS = 1_000_000
