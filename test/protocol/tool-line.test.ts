import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../src/errors.ts'
import type { Id, JsonObject } from '../../src/protocol/message.ts'
import { peek } from '../../src/protocol/peek.ts'
import { readToolLine } from '../../src/protocol/tool-line.ts'
import { seeded } from './random.ts'

const LONG = 'x'.repeat(9000)

function line(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

test('a request, a notification, a result and an error are told apart', () => {
  const rpc = { jsonrpc: '2.0' }
  const seen = (value: object) => {
    const message = readToolLine(line({ ...rpc, ...value }))
    return message && [message.kind, message.id, message.method]
  }
  assert.deepEqual(seen({ id: 1, method: 'ping' }), ['request', 1, 'ping'])
  assert.deepEqual(seen({ method: 'a/b', params: {} }), ['notification', undefined, 'a/b'])
  assert.deepEqual(seen({ id: 'é"\\', result: null }), ['result', 'é"\\', undefined])
  assert.deepEqual(seen({ id: 0, error: { code: 1 } }), ['error', 0, undefined])
  assert.deepEqual(seen({ id: null, error: { code: 1 } }), ['error', undefined, undefined])
})

test('noise is no message', () => {
  for (const noise of [
    'Server listening',
    '{ not json',
    '[{"jsonrpc":"2.0","method":"x"}]',
    '{"level":30,"method":"GET","id":3}',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","id":null,"method":"x"}',
    '{"jsonrpc":"2.0","method":1}',
    '{"jsonrpc":"2.0","result":{}}',
    '{"jsonrpc":"2.0","id":1,"error":null}',
    '{"jsonrpc":"2.0","id":1,"error":3}',
    'null',
    '12',
    ' ',
  ]) {
    assert.equal(readToolLine(line(noise)), undefined, noise)
  }
})

test('invalid UTF-8 is no message, be the line short or long', () => {
  const bad = Buffer.from([0xc3, 0x28])
  for (const text of ['', LONG]) {
    const start = line(`{"jsonrpc":"2.0","id":1,"result":"${text}`)
    assert.equal(readToolLine(Buffer.concat([start, bad, line('"}')])), undefined)
  }
})

test('bytes are the very line; a raw CR in it becomes a space', () => {
  const plain = line('{"jsonrpc":"2.0","id":1,"result":{"n":10000000000000000001}}')
  assert.equal(readToolLine(plain)?.bytes, plain)
  for (const text of ['', LONG]) {
    const message = readToolLine(line(`{"jsonrpc":"2.0",\r"id":1,\r"result":["${text}\\r"]}`))
    const expected = `{"jsonrpc":"2.0", "id":1, "result":["${text}\\r"]}`
    assert.equal(String(message?.bytes), expected)
    assert.equal(message?.id, 1)
  }
})

test('a long answer is peeked at, not parsed, and parsed once when asked', (t) => {
  const parse = t.mock.method(JSON, 'parse')
  const message = readToolLine(line(`{"jsonrpc":"2.0","id":7,"result":{"t":"${LONG}"}}`))
  assert.equal(message?.id, 7)
  assert.equal(message?.kind, 'result')
  assert.equal(parse.mock.callCount(), 0)
  assert.equal(message?.json(), message?.json())
  assert.equal(parse.mock.callCount(), 1)
})

test('the peek knows the orders and the spacing that servers write', () => {
  const value = `{"t":"${LONG}"}`
  const forms: [string, Id][] = [
    [`{"jsonrpc":"2.0","id":5,"result":${value}}`, 5],
    [`{"jsonrpc": "2.0", "id": -5, "result": ${value}}`, -5],
    [`{"id":5,"jsonrpc":"2.0","result":${value}}`, 5],
    [`{"id":"é","result":${value},"jsonrpc":"2.0"}`, 'é'],
    [`{"result":${value},"jsonrpc":"2.0","id":"5"}`, '5'],
    [`{"result":${value},"id":5,"jsonrpc":"2.0"}`, 5],
    [`{"jsonrpc":"2.0","result":${value},"id":""}`, ''],
    [`{ "jsonrpc" : "2.0" , "result" : ${value} , "id" : 999999999999999 }`, 999999999999999],
  ]
  for (const [text, id] of forms) {
    for (const kind of ['result', 'error'] as const) {
      const bytes = line(text.replace('"result"', `"${kind}"`))
      const seen = peek(bytes)
      assert.equal(seen?.id, id, text.slice(0, 60))
      assert.equal(seen?.kind, kind)
      const rest = JSON.parse(`${bytes.subarray(0, seen?.from)}${bytes.subarray(seen?.to)}`)
      assert.deepEqual(Object.keys(rest).sort(), [kind, 'jsonrpc'].sort())
    }
  }
})

test('what the peek cannot be sure of is parsed', () => {
  const forms: [string, Id | undefined][] = [
    [`{"jsonrpc":"2.0","id":"a\\u0062","result":"${LONG}"}`, 'ab'],
    [`{"jsonrpc":"2.0","\\u0069d":4,"result":"${LONG}"}`, 4],
    [`{"x":1,"jsonrpc":"2.0","id":4,"result":"${LONG}"}`, 4],
    [`{"jsonrpc":"2.0","result":"${LONG}","id":4,"x":1}`, 4],
    [`{"id":7,"result":"${LONG}","jsonrpc":"2.0","id":8}`, 8],
    [`{"jsonrpc":"2.0","id":1e2,"result":"${LONG}"}`, 100],
    [`{"jsonrpc":"2.0","id":null,"error":"${LONG}"}`, undefined],
    [`{"jsonrpc":"2.0","id":"${LONG}","result":{}}`, LONG],
    [`{"jsonrpc":"2.0","id":3,"result":"${LONG}"} `, 3],
    [`{"id":3,"result":"${LONG}"}`, undefined],
  ]
  for (const [text, id] of forms) {
    assert.equal(peek(line(text)), undefined, text.slice(0, 60))
    assert.equal(readToolLine(line(text))?.id, id, text.slice(0, 60))
  }
})

test('text that imitates an envelope does not fool the peek', () => {
  const imitations = [
    ',"id":9}',
    '","id":9}',
    ',"jsonrpc":"2.0","id":9',
    '\\","id":9',
    'x\\',
    '"id":9,"result":',
  ]
  for (const text of imitations) {
    for (const value of [text, [text], { [text]: text }, { id: 9, t: text }, { t: { id: 9 } }]) {
      const result = { pad: LONG, value }
      for (const message of [
        { jsonrpc: '2.0', id: 5, result },
        { jsonrpc: '2.0', result, id: 5 },
        { result, jsonrpc: '2.0', id: 5 },
        { result, id: text, jsonrpc: '2.0' },
        { jsonrpc: '2.0', result },
        { result, jsonrpc: '2.0' },
        { jsonrpc: '2.0', id: 5, result, [text]: 9 },
        { jsonrpc: '2.0', result, [`${text}id`]: 9 },
      ]) {
        const seen = peek(line(message))
        if (seen !== undefined) assert.equal(seen.id, (message as { id: Id }).id)
        assert.equal(readToolLine(line(message))?.id, (message as { id?: Id }).id)
      }
    }
  }
})

test('for any JSON message the peek says what a parse says, or nothing', () => {
  const random = seeded(3)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const texts = ['id', ',"id":1}', '\\', '"', '}', '{', ',', ' ', 'é', 'jsonrpc', '2.0', 'result']
  const text = () => Array.from({ length: Math.floor(random() * 5) }, () => pick(texts)).join('')
  const scalar = () => pick([text(), 1, -2, null, true, 1e30, '2.0'])
  const value = (depth: number): unknown => {
    if (depth === 0 || random() < 0.4) return scalar()
    if (random() < 0.5) return [value(depth - 1), value(depth - 1)]
    return { [pick(['id', 'jsonrpc', text()])]: value(depth - 1), id: value(depth - 1) }
  }
  let peeked = 0
  for (let round = 0; round < 4000; round++) {
    const members: [string, unknown][] = [['jsonrpc', '2.0']]
    if (random() < 0.9) members.push(['id', pick([5, '5', text(), null])])
    members.push([pick(['result', 'error', 'method', text()]), value(3)])
    members.sort(() => random() - 0.5)
    const bytes = line(JSON.stringify(Object.fromEntries(members), null, pick(['', '', ' '])))
    const compact = line(bytes.toString().replaceAll('\n', ''))
    const seen = peek(compact)
    if (seen === undefined) continue
    peeked++
    const parsed = JSON.parse(compact.toString()) as JsonObject
    assert.equal(seen.id, parsed.id, compact.toString())
    assert.ok(seen.kind in parsed)
  }
  assert.ok(peeked > 500, `only ${peeked} were peeked`)
})

test('a long answer that is not JSON, or says two things, is refused when it is read', () => {
  for (const text of [
    `{"jsonrpc":"2.0","id":5,"result":{"t":"${LONG}"}`,
    `{"jsonrpc":"2.0","id":5,"result":"${LONG}","id":6,"x":{}}`,
    `{"jsonrpc":"2.0","id":5,"result":"${LONG}","method":"sampling/createMessage"}`,
    `{"jsonrpc":"2.0","id":5,"result":"${LONG}","result":1,"jsonrpc":"1.0"}`,
  ]) {
    const message = readToolLine(line(text))
    assert.equal(message?.id, 5)
    assert.throws(
      () => message?.json(),
      (error: unknown) => error instanceof ToolgateError && error.code === 'tool_misbehaved',
    )
  }
})
