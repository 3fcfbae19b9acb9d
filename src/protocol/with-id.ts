import { ToolgateError } from '../errors.ts'
import { ComposedMessage } from './composed-message.ts'
import { parseExact } from './exact-json.ts'
import type { Id, JsonObject, Message } from './message.ts'
import { peek } from './peek.ts'
import { ToolMessage } from './tool-line.ts'

/**
 * The same request or answer under another id; nothing else of its bytes changes. Throws
 * `tool_misbehaved` where a peeked line turns out not to be JSON.
 */
export function withId(message: Message, id: Id): Message {
  if (message instanceof ComposedMessage) return message.withId(id)
  const { bytes, kind, method } = message
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new ToolMessage(splice(line, message, id) ?? rewrite(line, { id }), kind, id, method)
}

// The new id goes last, because readers take the last of repeated keys: whatever else the tool
// wrote, its answer reaches the caller under this id alone.
function splice(line: Buffer, message: Message, id: Id): Buffer | undefined {
  const seen = peek(line)
  if (seen === undefined || seen.id !== message.id || seen.kind !== message.kind) return undefined
  const end = Buffer.from(`,"id":${JSON.stringify(id)}}`)
  return Buffer.concat([line.subarray(0, seen.from), line.subarray(seen.to, -1), end])
}

/** The line's message with these members; numbers keep their digits. Throws `tool_misbehaved`. */
export function rewrite(
  line: Buffer,
  members: JsonObject | ((message: JsonObject) => JsonObject),
): Buffer {
  try {
    const message = parseExact(line.toString()) as JsonObject
    const others = typeof members === 'function' ? members(message) : members
    return Buffer.from(JSON.stringify({ ...message, ...others }))
  } catch (cause) {
    throw new ToolgateError('tool_misbehaved', 'The tool sent a message that cannot be read.', {
      cause,
    })
  }
}
