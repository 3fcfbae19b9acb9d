import { compose } from '../../protocol/composed-message.ts'
import { parseExact } from '../../protocol/exact-json.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'

/** The same request with these members of its params; every number stays as it was written. */
export function withParams(request: Message, members: JsonObject): Message {
  const { id, method = '', bytes } = request
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  const written = parseExact(text) as JsonObject
  const params = { ...(written.params as JsonObject | undefined), ...members }
  const outside = { kind: 'request', method, ...(id !== undefined && { id }) } as const
  return compose(outside, { ...written, params })
}
