import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkHeaders } from '../../../src/inbound/modern/headers.ts'
import type { JsonObject } from '../../../src/protocol/message.ts'
import { asking, withHeaders } from './asked.ts'

const VERSION = ['MCP-Protocol-Version', '2026-07-28'] as const
const META = { version: '2026-07-28', capabilities: {} }

type Header = readonly [string, string]

/** Checks a request with these headers beside its version and its method. */
function check(method: string, params: JsonObject, ...headers: readonly Header[]): void {
  checkHeaders(
    withHeaders(VERSION, ['Mcp-Method', method], ...headers),
    asking(method, params),
    META,
  )
}

function refuses(header: string, check: () => void): void {
  assert.throws(check, (error: { code: string; data: { header: string } }) => {
    assert.equal(error.code, 'header_mismatch')
    assert.equal(error.data.header, header)
    return true
  })
}

test('headers that mirror the body pass, however their names are written', () => {
  const list = asking('tools/list')
  checkHeaders(withHeaders(VERSION, ['MCP-METHOD', 'tools/list']), list, META)
  checkHeaders(
    withHeaders(['mcp-protocol-version', '2026-07-28'], ['mcp-method', 'tools/list']),
    list,
    META,
  )
})

test('the version has to be there, and the same', () => {
  const list = asking('tools/list')
  const method = ['Mcp-Method', 'tools/list'] as const
  const refused = (...headers: Header[]) =>
    refuses('MCP-Protocol-Version', () => checkHeaders(withHeaders(method, ...headers), list, META))
  refused()
  refused(['MCP-Protocol-Version', '2025-11-25'])
  refused(['MCP-Protocol-Version', ''])
  refused(VERSION, VERSION)
})

test('the method has to be there, and the same to the letter', () => {
  const list = asking('tools/list')
  const refused = (...headers: Header[]) =>
    refuses('Mcp-Method', () => checkHeaders(withHeaders(VERSION, ...headers), list, META))
  refused()
  refused(['Mcp-Method', 'prompts/list'])
  refused(['Mcp-Method', 'TOOLS/LIST'])
  refused(['Mcp-Method', 'tools/list'], ['Mcp-Method', 'tools/list'])
  refused(['Mcp-Method', '=?base64?dG9vbHMvbGlzdA==?='])
})

const NAMED = [
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
  ['tasks/result', 'taskId'],
] as const

for (const [method, field] of NAMED) {
  test(`Mcp-Name mirrors params.${field} of ${method}`, () => {
    check(method, { [field]: 'x' }, ['Mcp-Name', 'x'])
    refuses('Mcp-Name', () => check(method, { [field]: 'x' }, ['Mcp-Name', 'y']))
    refuses('Mcp-Name', () => check(method, {}, ['Mcp-Name', 'x']))
    refuses('Mcp-Name', () => check(method, { [field]: 1 }, ['Mcp-Name', '1']))
    // The extension that still had tasks/result did not ask for the header.
    if (method === 'tasks/result') check(method, { [field]: 'x' })
    else refuses('Mcp-Name', () => check(method, { [field]: 'x' }))
  })
}

test('any other method needs no Mcp-Name, and is not held to one', () => {
  check('tools/list', {})
  check('tools/list', {}, ['Mcp-Name', 'x'])
  check('constructor', {})
})

/** The rows of the table of encodings (2026-07-28, Streamable HTTP, Value Encoding). */
const ENCODED = [
  ['us-west1', 'us-west1'],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  // What is plain may be encoded too.
  ['us-west1', '=?base64?dXMtd2VzdDE=?='],
  ['', '=?base64??='],
  // Not between both marks: it is what it is.
  ['SGVsbG8=', 'SGVsbG8='],
  ['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
  ['SGVsbG8=?=', 'SGVsbG8=?='],
  ['=?base64?=', '=?base64?='],
  ['=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
  // A comma does not make two headers of it.
  ['a, b', 'a, b'],
] as const

for (const [value, header] of ENCODED) {
  test(`a name ${JSON.stringify(value)} is what the header ${header} says`, () => {
    check('tools/call', { name: value }, ['Mcp-Name', header])
  })
}

const WRONG = [
  ['Hello', '=?base64?SGVsbG8?=', 'padding is missing'],
  ['Hello', '=?base64?SGVs!!!bG8=?=', 'there are characters of no alphabet'],
  ['Hello', '=?base64?SGVsbG9=?=', 'it is not the one way to write it'],
  ['Hello', '=?base64? SGVsbG8=?=', 'there is a space in it'],
  ['ÿþ', '=?base64?__4=?=', 'it is of another alphabet'],
  ['\ufffd', '=?base64?/w==?=', 'it is not UTF-8'],
  ['literal', '=?base64?literal?=', 'it looks encoded and is not'],
  ['Hello, 世界', 'Hello, 世界', 'it is not encoded and has to be'],
  ['é', 'é', 'it is Latin-1'],
  ['SGVsbG8=', '=?base64?SGVsbG8=?=', 'the body says the encoded text itself'],
] as const

for (const [value, header, why] of WRONG) {
  test(`a name ${JSON.stringify(value)} is refused in ${header}: ${why}`, () => {
    refuses('Mcp-Name', () => check('tools/call', { name: value }, ['Mcp-Name', header]))
  })
}

test('two headers never pass for one value with a comma in it', () => {
  const twice = [
    ['Mcp-Name', 'a'],
    ['mcp-name', 'b'],
  ] as const
  refuses('Mcp-Name', () => check('tools/call', { name: 'a, b' }, ...twice))
})
