import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { RequestMeta } from './meta.ts'

/**
 * Compares the headers that mirror a request with its body, so that what a proxy saw is what
 * runs. Throws `header_mismatch`.
 */
export function checkHeaders(
  req: IncomingMessage,
  request: Message,
  { version }: RequestMeta,
): void {
  const { method = '' } = request
  expect(req, 'MCP-Protocol-Version', 'mcp-protocol-version', version)
  expect(req, 'Mcp-Method', 'mcp-method', method)
  const field = NAMES.get(method)
  if (field === undefined) return
  const given = headerOf(req, 'Mcp-Name', 'mcp-name')
  if (given === undefined && NAMELESS.has(method)) return
  const { params } = request.json()
  const name = isObject(params) ? params[field] : undefined
  if (given === undefined) throw mismatch('Mcp-Name', `is needed with ${method}`)
  if (decoded('Mcp-Name', given) !== name)
    throw mismatch('Mcp-Name', `differs from params.${field}`)
}

/** What `Mcp-Name` mirrors, by method. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
  ['tasks/result', 'taskId'],
])

/** No longer in the extension that asks for the header, so that it may be missing. */
const NAMELESS: ReadonlySet<string> = new Set(['tasks/result'])

function expect(req: IncomingMessage, shown: string, name: string, value: string): void {
  const given = headerOf(req, shown, name)
  if (given === undefined) throw mismatch(shown, 'is needed')
  if (given !== value) throw mismatch(shown, 'differs from the body')
}

/**
 * A header as it was sent, once. Throws `header_mismatch` where it was sent twice or holds what
 * no header may. `name` is in lower case.
 */
export function headerOf(req: IncomingMessage, shown: string, name: string): string | undefined {
  const value = req.headers[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw mismatch(shown, 'was sent twice')
  if (!VISIBLE.test(value)) throw mismatch(shown, 'holds characters that no header may hold')
  // Node joins what was sent twice, so that it could pass for one value with a comma in it.
  if (value.includes(', ') && timesSent(req, name) > 1) throw mismatch(shown, 'was sent twice')
  return value
}

/** Visible ASCII, space, tab (RFC 9110, 5.5); Node reads any other byte as Latin-1. */
const VISIBLE = /^[\t -~]*$/

function timesSent({ rawHeaders }: IncomingMessage, name: string): number {
  let times = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) times += 1
  }
  return times
}

/**
 * The value that a header carries, plain or as `=?base64?…?=`. Throws `header_mismatch` where it
 * is not Base64 of UTF-8, in the one way to write it.
 */
export function decoded(shown: string, value: string): string {
  if (value.length < MARKS || !value.startsWith(FRONT) || !value.endsWith(BACK)) return value
  const text = value.slice(FRONT.length, -BACK.length)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text || !isUtf8(bytes)) {
    throw mismatch(shown, 'is not valid Base64 of UTF-8')
  }
  return bytes.toString()
}

const FRONT = '=?base64?'
const BACK = '?='
const MARKS = FRONT.length + BACK.length

export function mismatch(header: string, what: string): ToolgateError {
  return new ToolgateError('header_mismatch', `The header ${header} ${what}.`, { data: { header } })
}
