import { ToolgateError } from '../errors.ts'
import { hasLongNumber, parseExact } from '../protocol/exact-json.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'

/** Most characters of a tool's own words in an error. */
const MOST_TEXT = 8_192

/**
 * The body of a 200 from the tool's answer to `tools/call`. Throws what else it is: the function's
 * own error (422), a wrong parameter (400, 404), or the tool's error, as it came (502).
 */
export function bodyOf(
  answer: Message,
  tool: Declaration,
  declared: FunctionDeclaration,
): JsonObject {
  const message = answer.json()
  if (answer.kind === 'error') throw rpcError(message.error)
  if (!isObject(message.result)) throw misbehaved(tool, 'answered with no result')
  if (message.result.isError === true) throw failed(message.result)
  const { content, structuredContent } = exactResult(answer) ?? message.result
  if (declared.outputSchema !== undefined) {
    if (isObject(structuredContent)) return structuredContent
    throw misbehaved(tool, 'has an output schema, and answered without structuredContent')
  }
  return {
    content: Array.isArray(content) ? content : [],
    ...(structuredContent !== undefined && { structuredContent }),
  }
}

/** The result with every number as the tool wrote it; undefined where a double changes none. */
function exactResult({ bytes }: Message): JsonObject | undefined {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  if (!hasLongNumber(line)) return undefined
  const { result } = parseExact(line) as JsonObject
  return isObject(result) ? result : undefined
}

function failed(result: JsonObject): ToolgateError {
  const blocks: unknown[] = Array.isArray(result.content) ? result.content : []
  const texts = blocks.map((block) => (isObject(block) ? block.text : undefined))
  const text = texts.filter((each) => typeof each === 'string').join('\n')
  const { structuredContent } = result
  return new ToolgateError('function_failed', cut(text || 'The function reported an error.'), {
    data: isObject(structuredContent) ? { structuredContent } : {},
  })
}

/** A JSON-RPC error of the tool's, kept whole as `rpc`. */
function rpcError(error: unknown): ToolgateError {
  const { code, message, data } = isObject(error) ? error : {}
  const text = cut(typeof message === 'string' ? message : 'The tool answered with an error.')
  const rpc = { code: Number(code), message: text, ...(data !== undefined && { data }) }
  if (code !== -32602) return new ToolgateError('tool_error', text, { data: { rpc } })
  const unknown = /\b(?:unknown|no such) (?:tool|function)\b|\btool\b.*\bnot found\b/i.test(text)
  return new ToolgateError(unknown ? 'unknown_function' : 'invalid_params', text, { data: { rpc } })
}

function misbehaved(tool: Declaration, what: string): ToolgateError {
  return new ToolgateError('tool_misbehaved', `The tool "${tool.name}" ${what}.`)
}

function cut(text: string): string {
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text
}
