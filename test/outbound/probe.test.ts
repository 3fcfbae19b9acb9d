import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusedAsModern, speaksLegacy, speaksModern } from '../../src/outbound/probe.ts'
import { readToolLine } from '../../src/protocol/read.ts'
import type { Pipe } from '../../src/runtime/pipe.ts'

/** A process that answers its first message with these lines, or ends. */
function pipeOf(answer: (message: Json) => unknown[] | 'exit') {
  let reader: Parameters<Pipe['read']>[0] = () => {}
  const sent: Json[] = []
  const { promise: closed, resolve: close } = Promise.withResolvers<never>()
  const pipe = {
    read: (given: typeof reader) => {
      reader = given
    },
    send: (bytes: Uint8Array) => {
      const message = JSON.parse(Buffer.from(bytes).toString())
      sent.push(message)
      const answers = answer(message)
      if (answers === 'exit') close({ reason: 'it exited' } as never)
      else
        for (const each of answers) {
          const line = readToolLine(
            Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...Object(each) })),
          )
          if (line !== undefined) reader(line)
        }
    },
    closed,
  }
  return { pipe: pipe as unknown as Pipe, sent }
}

type Json = Record<string, unknown>

const result = (value: unknown) => (message: Json) => [{ id: message.id, result: value }]
const error = (code: number, data?: unknown) => (message: Json) => [
  { id: message.id, error: { code, message: 'no', ...(data !== undefined && { data }) } },
]
const DISCOVERED = { supportedVersions: ['2026-07-28'], capabilities: {}, resultType: 'complete' }

const ANSWERS: [what: string, answer: Parameters<typeof pipeOf>[0], expected: string][] = [
  ['a result', result(DISCOVERED), 'yes'],
  ['a header mismatch', error(-32020), 'yes'],
  ['a missing capability', error(-32021), 'yes'],
  ['another modern version', error(-32022, { supported: ['2027-01-01'] }), 'yes'],
  ['an unsupported version, with nothing said of others', error(-32022), 'yes'],
  ['only older versions', error(-32022, { supported: ['2025-11-25'] }), 'no'],
  ['an unknown method', error(-32601), 'no'],
  ['the wrong params', error(-32602), 'no'],
  ['a result for anything', result({}), 'no'],
  [
    'the result of initialize for anything',
    result({ protocolVersion: '2025-11-25', capabilities: {} }),
    'no',
  ],
  ['an error without an id', () => [{ id: null, error: { code: -32600, message: 'what?' } }], 'no'],
  ['its end', () => 'exit', 'no'],
  ['nothing', () => [], 'silent'],
]

for (const [what, answer, expected] of ANSWERS)
  test(`a tool that answers server/discover with ${what}: ${expected}`, async () => {
    const { pipe } = pipeOf(answer)
    assert.equal(await speaksModern(pipe, '1.2.3', 50), expected)
  })

test('what it says besides its answer is passed over', async () => {
  const { pipe, sent } = pipeOf((message) => [
    { method: 'notifications/message', params: { level: 'info', data: 'hello' } },
    { id: message.id, method: 'roots/list' },
    { id: 'another', result: {} },
    { id: message.id, result: DISCOVERED },
  ])
  assert.equal(await speaksModern(pipe, '1.2.3', 1000), 'yes')
  assert.deepEqual(sent[0]?.params, {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'toolgate', version: '1.2.3' },
    },
  })
})

test('a tool whose initialize has a result serves legacy sessions, others do not', async () => {
  const asked = (answer: Parameters<typeof pipeOf>[0]) => speaksLegacy(pipeOf(answer).pipe, '1', 50)
  assert.equal(await asked(result({ protocolVersion: '2025-11-25', capabilities: {} })), 'yes')
  assert.equal(await asked(result({ protocolVersion: '2026-07-28', capabilities: {} })), 'no')
  assert.equal(await asked(error(-32601)), 'no')
  assert.equal(await asked(() => 'exit'), 'no')
  assert.equal(await asked(() => []), 'silent')
})

test('a pipe that is closed already means no', async () => {
  const pipe = { read() {}, closed: new Promise(() => {}), send: () => assert.fail('gone') }
  assert.equal(await speaksModern(pipe as unknown as Pipe, '1', 50), 'no')
})

test('a refused initialize is known for a modern one by its code or by the versions it names', () => {
  const message = 'Method not found'
  assert.ok(refusedAsModern({ code: -32022, message }))
  assert.ok(refusedAsModern({ code: -32601, message, data: { supported: ['2026-07-28'] } }))
  assert.ok(refusedAsModern({ code: -32601, message: `${message}; speaks 2026-07-28 only` }))
  assert.ok(!refusedAsModern({ code: -32601, message }))
  assert.ok(!refusedAsModern({ code: -32602, message, data: { supported: ['2024-11-05'] } }))
  assert.ok(!refusedAsModern({ code: -32022, message, data: { supported: ['2024-11-05'] } }))
  for (const nothing of [undefined, null, 'no', []]) assert.ok(!refusedAsModern(nothing))
})
