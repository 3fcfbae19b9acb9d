import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../src/errors.ts'
import { readClientMessage } from '../../src/protocol/read.ts'

function refused(code: string, pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ToolgateError)
    assert.equal(error.code, code)
    assert.match(error.message, pattern)
    return true
  }
}

function written(body: string | Buffer): string {
  const [message, ...others] = readClientMessage(body)
  assert.equal(others.length, 0)
  return String(message?.bytes)
}

test('a message is written anew in one line, as it is read', () => {
  const body =
    '{\n "params": {"uri":"é\\u0041\\ud800"},\r\n "method": "m", "id":"1", "jsonrpc":"2.0"}'
  for (const form of [body, Buffer.from(body)]) {
    const [message] = readClientMessage(form)
    const expected = '{"jsonrpc":"2.0","id":"1","method":"m","params":{"uri":"éA\\ud800"}}'
    assert.equal(String(message?.bytes), expected)
    assert.deepEqual(message?.json(), JSON.parse(expected))
    assert.deepEqual([message?.kind, message?.id, message?.method], ['request', '1', 'm'])
  }
})

test('requests, notifications, results and errors are taken', () => {
  const kinds = [
    '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    '{"jsonrpc":"2.0","id":0,"result":{}}',
    '{"jsonrpc":"2.0","id":"a","error":{"code":-1,"message":"no"}}',
  ].map((body) => {
    assert.equal(written(body), body)
    return readClientMessage(body)[0]?.kind
  })
  assert.deepEqual(kinds, ['request', 'notification', 'result', 'error'])
})

test('of repeated keys the last is read and the only one that is written', () => {
  const body =
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"a","method":"tools/call",' +
    '"params":{"name":"good"},"params":{"name":"x","name":"y","arguments":{"n":1,"n":2}}}'
  const expected =
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"y","arguments":{"n":2}}}'
  assert.equal(written(body), expected)
  assert.deepEqual(readClientMessage(body)[0]?.json(), JSON.parse(expected))
})

test('numbers keep every digit', () => {
  for (const number of [
    '9007199254740993',
    '-12345678901234567890',
    '0.12345678901234567890',
    '1234567.8901234567',
    '1e400',
    '1.50E-7',
    '5e+3',
    '1.0',
    '-2.50',
    '-0',
    '-0.0',
    '10.05',
    '-1e-0',
    '0',
  ]) {
    const body =
      `{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"a":${number}},` +
      `"arguments":{"a":[${number}],"s":"${number}"}}}`
    assert.equal(written(body), body)
    assert.equal(
      written(body.replace('"id":1', `"a":${number},"a":1,"id":1`)).includes('"a":1,'),
      true,
    )
  }
})

test('strings that look like long numbers stay strings', () => {
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"m","params":{"1e5":"12345678901234567890",' +
    '"b":"\\"\\\\","c":"a\\",1e5,\\"","d":[1e5,"1e5"],"e":-1e5}}'
  assert.equal(written(body), body)
})

test('a key named __proto__ is only a key', () => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"m","params":{"arguments":{"__proto__":{"a":1}}}}'
  assert.equal(written(body), body)
  assert.equal(written(body.replace('"a":1', '"a":1e9')).includes('"__proto__":{"a":1e9}'), true)
  assert.equal(({} as { a?: number }).a, undefined)
})

test('what is not JSON is a parse error', () => {
  const invalid = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","method":"'), Buffer.from([0xff])])
  for (const body of ['', '{', 'x', '{"a":1,}', '\uFEFF{}', '{"a":"\n"}', invalid]) {
    assert.throws(() => readClientMessage(body), refused('parse_error', /not valid (JSON|UTF-8)/))
  }
})

test('what is not a JSON-RPC message is refused and says what was expected', () => {
  const cases: [string, RegExp][] = [
    ['null', /object/],
    ['"x"', /object/],
    ['{}', /"jsonrpc" must be "2.0"/],
    ['{"jsonrpc":"1.0","id":1,"method":"x"}', /"jsonrpc"/],
    ['{"jsonrpc":"2.0","id":null,"method":"x"}', /"id" must be/],
    ['{"jsonrpc":"2.0","id":true,"method":"x"}', /"id" must be/],
    ['{"jsonrpc":"2.0","id":1.5,"method":"x"}', /"id" must be/],
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}', /"id" must be/],
    ['{"jsonrpc":"2.0","id":[1],"method":"x"}', /"id" must be/],
    ['{"jsonrpc":"2.0","id":1,"method":["x"]}', /"method" must be/],
    ['{"jsonrpc":"2.0","id":1,"method":null}', /"method" must be/],
    ['{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}', /"params" must be/],
    ['{"jsonrpc":"2.0","id":1,"method":"x","params":null}', /"params" must be/],
    ['{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":1}}', /"_meta" must be/],
    ['{"jsonrpc":"2.0","id":1}', /exactly one/],
    ['{"jsonrpc":"2.0","id":1,"method":"x","result":{}}', /exactly one/],
    ['{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', /exactly one/],
    ['{"jsonrpc":"2.0","result":{}}', /"id" of its request/],
    ['{"jsonrpc":"2.0","id":1,"error":"no"}', /"error" must be/],
  ]
  for (const [body, pattern] of cases) {
    assert.throws(() => readClientMessage(body), refused('bad_request', pattern), body)
  }
})

test('a key that only looks like a known one is refused with its name', () => {
  const envelope: [string, string][] = [
    ['Method', 'method'],
    ['ID', 'id'],
    ['ıd', 'id'],
    ['İD', 'id'],
    ['jſonrpc', 'jsonrpc'],
    ['ｉｄ', 'id'],
    ['id\u0000', 'id'],
    ['id\u0000tail', 'id'],
    ['\u0000id', 'id'],
    ['m\u200Bethod', 'method'],
    ['re\u00ADsult', 'result'],
    ['PARAMS', 'params'],
    ['error\uFE0F', 'error'],
  ]
  for (const [key, known] of envelope) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', [key]: {} })
    assert.throws(() => readClientMessage(body), refused('bad_request', new RegExp(`"${known}"`)))
  }
  const params: [string, string][] = [
    ['Name', 'name'],
    ['ARGUMENTS', 'arguments'],
    ['toKen', ''],
    ['progressToKen', 'progressToken'],
    ['requeﬆId', 'requestId'],
    ['progreß', 'progress'],
    ['urı', 'uri'],
    ['_Meta', '_meta'],
    ['clientinfo', 'clientInfo'],
  ]
  for (const [key, known] of params) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: { [key]: 1 } })
    if (known === '') assert.equal(readClientMessage(body).length, 1)
    else {
      const pattern = new RegExp(`"params" looks like "${known}"`)
      assert.throws(() => readClientMessage(body), refused('bad_request', pattern))
    }
  }
  const meta = '{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progresstoken":1}}}'
  assert.throws(() => readClientMessage(meta), refused('bad_request', /"progressToken"/))
})

test('a key is bounded', () => {
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { ['ﷺ'.repeat(257)]: 1 } })
  assert.throws(() => readClientMessage(body), refused('bad_request', /256 characters/))
})

test('unknown keys pass, and inside arguments every key does', () => {
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"com.example/Name":1},' +
    '"arguments":{"Name":1,"ID":2,"x\\u0000":3},"custom":4}}'
  assert.equal(written(body), body)
})

test('a batch is taken only where it is allowed, and bounded', () => {
  const one =
    '{"jsonrpc":"2.0","id":9007199254740991,"method":"m","params":{"n":12345678901234567890}}'
  const batch = (count: number) => `[${Array.from({ length: count }, () => one).join()}]`
  assert.throws(() => readClientMessage(batch(1)), refused('bad_request', /not an array/))
  const messages = readClientMessage(batch(100), { allowBatch: true })
  assert.deepEqual(
    messages.map((message) => String(message.bytes)),
    Array.from({ length: 100 }, () => one),
  )
  for (const count of [0, 101]) {
    const read = () => readClientMessage(batch(count), { allowBatch: true })
    assert.throws(read, refused('bad_request', /1 to 100/))
  }
  assert.throws(() => readClientMessage(`[${one},[${one}]]`, { allowBatch: true }), ToolgateError)
})

test('absurd nesting is an error, never a crash', () => {
  for (const number of ['1', '1e9']) {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(150_000)}${number}${close.repeat(150_000)}`
      for (const params of [`{"arguments":${deep}}`, `{"_meta":{"a":${deep}}}`]) {
        const body = `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`
        assert.throws(() => readClientMessage(body), refused('bad_request', /nested too deeply/))
      }
    }
  }
})
