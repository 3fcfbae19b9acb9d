import { ToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'

/** The uri that a request names. Throws `invalid_params` where there is none. */
export function uriOf(request: Message): string {
  const { params } = request.json()
  const uri = isObject(params) ? params.uri : undefined
  if (isUri(uri)) return uri
  const message = `"uri" must be a string of at most ${LONGEST_URI} characters.`
  throw new ToolgateError('invalid_params', message)
}

export function isUri(uri: unknown): uri is string {
  return typeof uri === 'string' && uri.length <= LONGEST_URI
}

const LONGEST_URI = 8192
