import { isUtf8 } from 'node:buffer'
import { ToolgateError } from '../errors.ts'
import { compose } from './composed-message.ts'
import { hasLongNumber, parseExact } from './exact-json.ts'
import { type Imitated, imitationsOf } from './look-alike.ts'
import type { Id, JsonObject, Kind, Message } from './message.ts'
import { isObject } from './object.ts'

/**
 * What a client sent, parsed once and written anew, so that the guard and the tool read the same
 * thing; numbers keep every digit. Throws `parse_error` and `bad_request`.
 *
 * @param options.allowBatch take an array of 1 to 100 messages (MCP 2025-03-26)
 */
export function readClientMessage(
  body: string | Buffer,
  options: { readonly allowBatch?: boolean } = {},
): Message[] {
  const text = decode(body)
  const parsed = parse(text)
  try {
    const written = hasLongNumber(text) ? parseExact(text) : parsed
    if (!Array.isArray(parsed)) return [read(parsed, written)]
    if (options.allowBatch !== true) {
      throw bad('One JSON-RPC message was expected, not an array of them.')
    }
    if (parsed.length === 0 || parsed.length > MAX_BATCH) {
      throw bad(`A batch of 1 to ${MAX_BATCH} messages was expected.`)
    }
    return parsed.map((message, index) => read(message, (written as unknown[])[index]))
  } catch (cause) {
    // JSON.parse takes any depth; JSON.stringify is bounded by the stack.
    if (cause instanceof RangeError) throw bad('The message is nested too deeply.', cause)
    throw cause
  }
}

const MAX_BATCH = 100
// Folding a key may make it 18 times as long.
const MAX_KEY = 256

function decode(body: string | Buffer): string {
  if (typeof body === 'string') return body
  if (!isUtf8(body)) throw new ToolgateError('parse_error', 'The body is not valid UTF-8.')
  return body.toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ToolgateError('parse_error', 'The body is not valid JSON.', { cause })
  }
}

/** `written` is the same message as `parseExact` gives it. */
function read(parsed: unknown, written: unknown): Message {
  if (!isObject(parsed)) throw bad('A JSON-RPC message is an object.')
  refuseImitations(parsed, imitatedInEnvelope, 'the message')
  const { jsonrpc, id, method, params } = parsed
  if (jsonrpc !== '2.0') throw bad('"jsonrpc" must be "2.0".')
  if (id !== undefined && !isId(id)) throw bad(`"id" must be a string or an integer below 2^53.`)
  if (method !== undefined && typeof method !== 'string') throw bad('"method" must be a string.')
  if (params !== undefined) {
    if (!isObject(params)) throw bad('"params" must be an object.')
    refuseImitations(params, imitatedInParams, '"params"')
    const { _meta: meta } = params
    if (meta !== undefined) {
      if (!isObject(meta)) throw bad('"_meta" must be an object.')
      refuseImitations(meta, imitatedInMeta, '"_meta"')
    }
  }
  const outside = {
    kind: kindOf(parsed),
    ...(id !== undefined && { id }),
    ...(method !== undefined && { method }),
  }
  return compose(outside, written as JsonObject, parsed)
}

function kindOf({ id, method, result, error }: JsonObject): Kind {
  const parts = Number(method !== undefined) + Number(result !== undefined)
  if (parts + Number(error !== undefined) !== 1) {
    throw bad('A message has exactly one of "method", "result" and "error".')
  }
  if (method !== undefined) return id === undefined ? 'notification' : 'request'
  if (id === undefined) throw bad('A response has the "id" of its request.')
  if (error !== undefined && !isObject(error)) throw bad('"error" must be an object.')
  return result === undefined ? 'error' : 'result'
}

function refuseImitations(object: JsonObject, imitated: Imitated, where: string): void {
  for (const key in object) {
    if (key.length > MAX_KEY) throw bad(`A key of ${where} is over ${MAX_KEY} characters.`)
    const known = imitated(key)
    if (known !== undefined) {
      throw bad(`A key of ${where} looks like "${known}" but is spelled differently.`)
    }
  }
}

function isId(id: unknown): id is Id {
  return typeof id === 'string' || Number.isSafeInteger(id)
}

function bad(message: string, cause?: unknown): ToolgateError {
  return new ToolgateError('bad_request', message, { cause })
}

const imitatedInEnvelope = imitationsOf(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])

/** Every key that an MCP revision gives to the params of a client's message. */
const imitatedInParams = imitationsOf([
  '_meta',
  'argument',
  'arguments',
  'capabilities',
  'clientInfo',
  'context',
  'cursor',
  'data',
  'elicitationId',
  'inputResponses',
  'level',
  'logger',
  'message',
  'name',
  'notifications',
  'progress',
  'progressToken',
  'protocolVersion',
  'reason',
  'ref',
  'requestId',
  'requestState',
  'status',
  'task',
  'taskId',
  'total',
  'uri',
])

/** The keys of `_meta` that are acted on here. */
const imitatedInMeta = imitationsOf([
  'baggage',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/logLevel',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/subscriptionId',
  'progressToken',
  'traceparent',
  'tracestate',
])
