import { compose } from '../../protocol/composed-message.ts'
import { exactly } from '../../protocol/exactly.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'

/** The same request with these members of its params; every number stays as it was written. */
export function withParams(request: Message, members: JsonObject): Message {
  const { id, method = '' } = request
  const written = exactly(request)
  const params = { ...(written.params as JsonObject | undefined), ...members }
  const outside = { kind: 'request', method, ...(id !== undefined && { id }) } as const
  return compose(outside, { ...written, params })
}

/** A request's params for writing them again: every number as it was written. */
export function exactParams(request: Message): JsonObject {
  return (exactly(request).params as JsonObject | undefined) ?? {}
}
