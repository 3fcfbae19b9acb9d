import { hasLongNumber, parseExact } from './exact-json.ts'
import type { JsonObject, Message } from './message.ts'

/** A message as an object for writing it again: every number keeps its digits. Not to be changed. */
export function exactly(message: Message): JsonObject {
  const { buffer, byteOffset, byteLength } = message.bytes
  const text = Buffer.from(buffer, byteOffset, byteLength).toString()
  return hasLongNumber(text) ? (parseExact(text) as JsonObject) : message.json()
}
