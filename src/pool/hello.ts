import type { Link } from '../call/link.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { requestMessage } from '../protocol/read.ts'

/**
 * What a session's client says to a process of its own at `initialize`, as text: where two say the
 * same, one may be said it before the other comes. Its `_meta` is about one request, and no part of
 * that. Undefined: it says nothing, or too much to be kept.
 */
export function helloOf({ hello }: Pick<Link, 'hello'>): string | undefined {
  if (hello === undefined) return undefined
  const { _meta, ...said } = hello
  const text = JSON.stringify(said)
  return text.length > LONGEST ? undefined : text
}

/** The request that says it, under an id of ours. */
export function helloMessage(hello: string, id: string): Message {
  return requestMessage(id, 'initialize', JSON.parse(hello) as JsonObject)
}

/** Characters; an ordinary one has some hundred. */
const LONGEST = 16 * 1024
