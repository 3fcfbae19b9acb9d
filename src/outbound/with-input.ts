import { compose } from '../protocol/composed-message.ts'
import { exactly } from '../protocol/exactly.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'

/**
 * The same request with what its client answered, and the state the tool gave along. What the
 * client itself wrote there is taken away: its era knows neither.
 */
export function withInput(request: Message, responses?: unknown, state?: string): Message {
  const { params } = request.json()
  const given = isObject(params) && ('inputResponses' in params || 'requestState' in params)
  if (!given && responses === undefined && state === undefined) return request
  const { kind, method = '' } = request
  const written = exactly(request)
  const own = { ...(written.params as JsonObject | undefined) }
  delete own.inputResponses
  delete own.requestState
  if (responses !== undefined) own.inputResponses = responses
  if (state !== undefined) own.requestState = state
  return compose({ kind, method }, { ...written, params: own })
}
