import { isUtf8 } from 'node:buffer'
import { ToolgateError } from '../errors.ts'
import type { Outside } from './composed-message.ts'
import type { Id, JsonObject, Kind, Message } from './message.ts'
import { peek } from './peek.ts'

/**
 * A line of a tool's stdout as a message whose `bytes` are the line itself, never with CR or LF;
 * undefined where it is no JSON-RPC 2.0 message: noise, invalid UTF-8, an array. An error whose id
 * is null is of kind `error` and has no id.
 *
 * A long answer is not parsed here but peeked at: its `json()` throws `tool_misbehaved` where the
 * rest turns out not to be JSON, or to say something else than its outside.
 */
export function readToolLine(line: Buffer): Message | undefined {
  if (line.length > WHOLE) {
    const seen = line.includes(CR) ? undefined : peek(line)
    if (seen !== undefined) {
      return isUtf8(line) ? new ToolMessage(line, seen.kind, seen.id) : undefined
    }
  }
  // Noise is told by its first byte, because a failing parse costs more than a good one.
  const first = line[0]
  if (first !== OPEN && first !== SPACE && first !== TAB && first !== CR) return undefined
  if (!isUtf8(line)) return undefined
  let object: unknown
  try {
    object = JSON.parse(line.toString())
  } catch {
    return undefined
  }
  const seen = classify(object)
  if (seen === undefined) return undefined
  return new ToolMessage(withoutCr(line), seen.kind, seen.id, seen.method, object as JsonObject)
}

/** A message with the bytes of the tool's line. */
export class ToolMessage implements Message {
  readonly bytes: Buffer
  readonly kind: Kind
  readonly id?: Id
  readonly method?: string
  #object: JsonObject | undefined

  constructor(bytes: Buffer, kind: Kind, id?: Id, method?: string, object?: JsonObject) {
    this.bytes = bytes
    this.kind = kind
    if (id !== undefined) this.id = id
    if (method !== undefined) this.method = method
    this.#object = object
  }

  json(): JsonObject {
    this.#object ??= this.#parse()
    return this.#object
  }

  #parse(): JsonObject {
    let object: unknown
    try {
      object = JSON.parse(this.bytes.toString())
    } catch (cause) {
      throw new ToolgateError('tool_misbehaved', 'The tool sent an answer that is not JSON.', {
        cause,
      })
    }
    const seen = classify(object)
    if (seen?.kind !== this.kind || seen.id !== this.id) {
      throw new ToolgateError('tool_misbehaved', 'The tool sent an answer that says two things.')
    }
    return object as JsonObject
  }
}

function classify(value: unknown): Outside | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { jsonrpc, id, method, result, error } = value as JsonObject
  if (jsonrpc !== '2.0') return undefined
  const known = typeof id === 'string' || typeof id === 'number'
  if (typeof method === 'string') {
    if (known) return { kind: 'request', id, method }
    return id === undefined ? { kind: 'notification', method } : undefined
  }
  if (method !== undefined) return undefined
  if (result !== undefined) return known ? { kind: 'result', id } : undefined
  if (typeof error !== 'object' || error === null) return undefined
  if (known) return { kind: 'error', id }
  return id === undefined || id === null ? { kind: 'error' } : undefined
}

// A raw CR would end a line of an SSE event. In valid JSON it can only stand between two tokens,
// so a space there changes nothing.
function withoutCr(line: Buffer): Buffer {
  if (!line.includes(CR)) return line
  const copy = Buffer.from(line)
  for (let at = copy.indexOf(CR); at !== -1; at = copy.indexOf(CR, at + 1)) copy[at] = SPACE
  return copy
}

/** Up to here a parse costs less than being unsure. */
export const WHOLE = 8192
const OPEN = 0x7b
const SPACE = 0x20
const TAB = 0x09
const CR = 0x0d
