import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../src/errors.ts'
import type { Id, Message } from '../../src/protocol/message.ts'
import {
  errorMessage,
  notificationMessage,
  readClientMessage,
  readToolLine,
  requestMessage,
  resultMessage,
  withId,
  withMeta,
  withTrace,
} from '../../src/protocol/read.ts'

function fromTool(text: string): Message {
  const message = readToolLine(Buffer.from(text))
  assert.ok(message)
  return message
}

function fromClient(text: string): Message {
  const [message] = readClientMessage(text)
  assert.ok(message)
  return message
}

test('messages are written as JSON-RPC 2.0', () => {
  const cases: [Message, string, string][] = [
    [requestMessage(1, 'ping'), 'request', '{"jsonrpc":"2.0","id":1,"method":"ping"}'],
    [
      requestMessage('a"', 'm', { _meta: { t: 1 }, b: 2 }),
      'request',
      '{"jsonrpc":"2.0","id":"a\\"","method":"m","params":{"_meta":{"t":1},"b":2}}',
    ],
    [notificationMessage('n', {}), 'notification', '{"jsonrpc":"2.0","method":"n","params":{}}'],
    [resultMessage(0, { a: 'é' }), 'result', '{"jsonrpc":"2.0","id":0,"result":{"a":"é"}}'],
    [resultMessage(0, undefined), 'result', '{"jsonrpc":"2.0","id":0,"result":{}}'],
    [
      errorMessage(null, -32700, 'no'),
      'error',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}',
    ],
    [
      errorMessage(3, -1, 'no', { why: 1 }),
      'error',
      '{"jsonrpc":"2.0","id":3,"error":{"code":-1,"message":"no","data":{"why":1}}}',
    ],
  ]
  for (const [message, kind, text] of cases) {
    assert.equal(String(message.bytes), text)
    assert.equal(message.kind, kind)
    assert.deepEqual(message.json(), JSON.parse(text))
    assert.equal(message.bytes, message.bytes)
  }
})

test('a new id changes nothing else, be the message written here or by a tool', () => {
  const pad = 'x'.repeat(9000)
  const value = '{"n":10000000000000000001,"d":1.50,"id":4}'
  const messages: Message[] = [
    requestMessage(1, 'm', { a: 1 }),
    resultMessage(1, { a: 1 }),
    errorMessage(1, 2, 'x'),
    fromClient('{"jsonrpc":"2.0","id":1,"method":"m","params":{"n":10000000000000000001}}'),
    fromTool(`{"jsonrpc":"2.0","id":1,"method":"m","params":${value}}`),
    fromTool(`{"jsonrpc":"2.0","id":1,"result":${value}}`),
    fromTool(`{"jsonrpc":"2.0","id":"1","result":${value}}`),
    fromTool(`{"result":${value},"jsonrpc":"2.0","id":1}`),
    fromTool(`{"result":["${pad}",${value}],"jsonrpc":"2.0","id":1}`),
    fromTool(`{"jsonrpc": "2.0", "id": 1, "error": {"code":1,"data":["${pad}",${value}]}}`),
    fromTool(`{"x":1,"jsonrpc":"2.0","id":1,"result":["${pad}",${value}]}`),
  ]
  for (const message of messages) {
    for (const id of [7, '7', 'é"'] satisfies Id[]) {
      const renamed = withId(message, id)
      const expected = { ...message.json(), id }
      const text = Buffer.from(renamed.bytes).toString()
      assert.deepEqual(JSON.parse(text), expected)
      assert.deepEqual(renamed.json(), expected)
      assert.deepEqual(
        [renamed.id, renamed.kind, renamed.method],
        [id, message.kind, message.method],
      )
      assert.equal(withId(renamed, 8).id, 8)
      for (const number of ['10000000000000000001', '1.50']) {
        assert.equal(text.includes(number), Buffer.from(message.bytes).includes(number))
      }
    }
  }
})

test('an id that a tool repeats does not survive the new one', () => {
  const pad = 'x'.repeat(9000)
  for (const text of [
    '{"jsonrpc":"2.0","id":1,"result":{},"id":1}',
    '{"jsonrpc":"2.0","id":2,"result":{},"id":1}',
    `{"jsonrpc":"2.0","id":1,"result":"${pad}","id":2}`,
    `{"jsonrpc":"2.0","id":1,"result":"${pad}","\\u0069d":2,"x":{}}`,
    `{"id":2,"result":"${pad}","jsonrpc":"2.0","id":1}`,
  ]) {
    const message = fromTool(text)
    assert.equal(message.id, 1)
    assert.equal(JSON.parse(Buffer.from(withId(message, 9).bytes).toString()).id, 9)
  }
})

test('a peeked line that is not JSON is refused, or passed on as it is, never a crash', () => {
  const pad = 'x'.repeat(9000)
  const message = fromTool(`{"jsonrpc":"2.0","id":1,"result":{${pad}}}`)
  assert.throws(() => withId(message, 2).json(), ToolgateError)
  const deep = `${'['.repeat(90_000)}${']'.repeat(90_000)}`
  const nested = fromTool(`{"x":1,"jsonrpc":"2.0","id":1,"result":${deep}}`)
  assert.throws(() => withId(nested, 2), ToolgateError)
})

test('a trace is set in _meta, and what else is there stays', () => {
  const long = '10000000000000000001'
  const request = fromClient(
    `{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"x","_meta":{"a":${long},"tracestate":"old"}}}`,
  )
  const before = JSON.stringify(request.json())
  const traced = withTrace(withId(request, 2), '00-a')
  assert.equal(
    String(traced.bytes),
    `{"jsonrpc":"2.0","id":2,"method":"m","params":{"_meta":{"a":${long},"traceparent":"00-a"},"name":"x"}}`,
  )
  assert.equal(JSON.stringify(request.json()), before)
  assert.deepEqual(JSON.parse(JSON.stringify(traced.json())), JSON.parse(String(traced.bytes)))
  assert.deepEqual([traced.id, traced.kind, traced.method], [2, 'request', 'm'])
})

test('_meta is made where a message has none', () => {
  const meta = '{"_meta":{"traceparent":"p","tracestate":"s"}'
  const bare = withTrace(requestMessage(1, 'ping'), 'p', 's')
  assert.equal(String(bare.bytes), `{"jsonrpc":"2.0","id":1,"method":"ping","params":${meta}}}`)
  const tool = withTrace(
    fromTool('{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}'),
    'p',
    's',
  )
  assert.equal(String(tool.bytes), `{"jsonrpc":"2.0","id":1,"method":"m","params":${meta},"a":1}}`)
  const client = fromClient('{"jsonrpc":"2.0","method":"n"}')
  const twice = withMeta(withMeta(client, { a: 1, b: 1 }), { b: 2, a: undefined })
  assert.equal(String(twice.bytes), '{"jsonrpc":"2.0","method":"n","params":{"_meta":{"b":2}}}')
  assert.deepEqual(twice.json().params, { _meta: { a: undefined, b: 2 } })
})
