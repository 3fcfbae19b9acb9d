import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Id, JsonObject, Message } from '../../src/protocol/message.ts'
import { readToolLine } from '../../src/protocol/tool-line.ts'
import { Addition, withResult } from '../../src/protocol/with-result.ts'

const COMPLETE = new Addition({ resultType: 'complete' }, { server: { name: 'a' } })
const LONG = 'x'.repeat(9000)

function read(line: string): Message {
  const message = readToolLine(Buffer.from(line))
  assert.ok(message, line)
  return message
}

function added(line: string, id: Id = 'mine'): string {
  return Buffer.from(withResult(read(line), id, COMPLETE).bytes).toString()
}

test('every place of the id and every spacing gives the same result', () => {
  const forms = [
    (result: string) => `{"jsonrpc":"2.0","id":7,"result":${result}}`,
    (result: string) => `{"result":${result},"jsonrpc":"2.0","id":7}`,
    (result: string) => `{"jsonrpc":"2.0","result":${result},"id":7}`,
    (result: string) => `{"id":7,"result":${result},"jsonrpc":"2.0"}`,
    (result: string) => `{ "jsonrpc" : "2.0" , "id" : 7 , "result" :  ${result} }`,
    (result: string) => `\t{"jsonrpc":"2.0","id":7,"more":1,"result":${result}} `,
  ]
  const results = ['{}', '{ }', '{"a":1}', '{ "a" : [ 1 ] }', `{"text":"${LONG}"}`]
  for (const form of forms) {
    for (const result of results) {
      for (const id of [1, 'mine', 'é"\\']) {
        const answer = withResult(read(form(result)), id, COMPLETE)
        assert.deepEqual([answer.id, answer.kind], [id, 'result'])
        const message = JSON.parse(Buffer.from(answer.bytes).toString())
        assert.deepEqual(message.result, {
          ...JSON.parse(result),
          resultType: 'complete',
          _meta: { server: { name: 'a' } },
        })
        assert.equal(message.id, id)
        assert.deepEqual(answer.json(), message)
      }
    }
  }
})

test('no byte of the result changes', () => {
  const inside = `"n":10000000000000000001,"d":1.0,"e":1e400 , "s":"\\u00e9é"`
  for (const more of ['', `,"t":"${LONG}"`]) {
    const text = added(`{"jsonrpc":"2.0","id":1,"result":{${inside}${more}}}`)
    assert.ok(text.includes(`,${inside}${more}}`), text.slice(0, 300))
  }
})

test('a long answer is not parsed for it', (t) => {
  const message = read(`{"jsonrpc":"2.0","id":7,"result":{"t":"${LONG} \\"_meta\\" resultType"}}`)
  const parse = t.mock.method(JSON, 'parse')
  withResult(message, 1, COMPLETE)
  assert.equal(parse.mock.callCount(), 0)
})

test('members that the result has already are replaced, and its `_meta` stays', () => {
  for (const more of ['', LONG]) {
    const own = `{"n":1.0,"resultType":"x","t":"${more}","_meta":{"own":1e400,"server":2}}`
    const text = added(`{"jsonrpc":"2.0","id":1,"result":${own}}`)
    assert.ok(text.includes('"n":1.0') && text.includes('"own":1e400'), text.slice(0, 200))
    assert.equal(text.split('"resultType"').length, 2)
    const { result } = JSON.parse(text)
    assert.equal(result.resultType, 'complete')
    assert.deepEqual(Object.keys(result._meta), ['own', 'server'])
    assert.deepEqual(result._meta.server, { name: 'a' })
  }
})

test('such names deeper inside are left alone', () => {
  for (const more of ['', LONG]) {
    const deep = `"tools":[{"_meta":{"ui":1.0},"t":"${more}"}]`
    const text = added(`{"jsonrpc":"2.0","id":1,"result":{${deep}}}`)
    assert.ok(text.includes(`,${deep}}`))
    assert.deepEqual(JSON.parse(text).result._meta, { server: { name: 'a' } })
  }
})

test('a `_meta` that is no object gives way', () => {
  const { result } = JSON.parse(added('{"jsonrpc":"2.0","id":1,"result":{"_meta":[1]}}'))
  assert.deepEqual(result._meta, { server: { name: 'a' } })
})

test('what is no object only gets the id', () => {
  for (const value of ['null', '[]', '"x"', '1e400', '[{"a":1}]', `"${LONG}"`]) {
    const text = added(`{"jsonrpc":"2.0","id":1,"result":${value}}`)
    const { id, result } = JSON.parse(text) as JsonObject
    assert.equal(id, 'mine')
    assert.deepEqual(result, JSON.parse(value))
  }
})

test('a long line that is not JSON is a mistake of the tool, or passes as it is', () => {
  const broken = read(`{"jsonrpc":"2.0","id":1,"result":{"t":"${LONG}" oops "_meta"}}`)
  assert.throws(() => withResult(broken, 2, COMPLETE), { code: 'tool_misbehaved' })
})
