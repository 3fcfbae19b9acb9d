import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readToolLine, resultMessage } from '../../../src/protocol/read.ts'
import { modern, modernRequest } from '../../harness/modern.ts'
import { raw } from '../../harness/raw.ts'
import { errorOf, type Json, resultOf } from '../../harness/session.ts'
import { type Entrance, openModern } from './entrance.ts'

const ASKS = { who: { method: 'elicitation/create', params: { message: 'Who?' } } }
const CALL = { name: 'x', arguments: { a: 1, b: [{ c: 2 }] } }
const ANSWERS = { who: { action: 'accept', content: {} } }

/** A tool that asks in its own words and goes on with its own state. */
function asksItself(entrance: Entrance): Json[] {
  const seen: Json[] = []
  entrance.turns.set('tools/call', (_link, { request }) => {
    const params = request.json().params as Json
    seen.push(params)
    const { requestState } = params
    const result =
      requestState === undefined
        ? { resultType: 'input_required', inputRequests: ASKS, requestState: 'own state' }
        : { resultType: 'complete', content: [] }
    return { answer: resultMessage(request.id ?? 0, result) }
  })
  return seen
}

/** A call that is parked at the gateway, and goes on. */
function parks(entrance: Entrance): void {
  entrance.turns.set('tools/call', (_link, { request }) =>
    entrance.resumed.length === 0
      ? { asks: ASKS, state: 'call 7' }
      : { answer: resultMessage(request.id ?? 0, { resultType: 'complete', content: [] }) },
  )
}

const stateOf = (message: Json) => String(resultOf(message).requestState)

test("a tool's own state is sealed on its way out and bare on its way back", async (t) => {
  const entrance = await openModern(t)
  const seen = asksItself(entrance)
  const first = (await modern(entrance.url, 'tools/call', CALL)).json()
  assert.equal(resultOf(first).resultType, 'input_required')
  assert.deepEqual(resultOf(first).inputRequests, ASKS)
  assert.doesNotMatch(stateOf(first), /own state/)
  // The order of keys is nobody's business.
  const again = { arguments: { b: [{ c: 2 }], a: 1 }, name: 'x', inputResponses: ANSWERS }
  const retry = { ...again, requestState: stateOf(first) }
  const second = await modern(entrance.url, 'tools/call', retry, { id: 2 })
  assert.deepEqual(second.json(), {
    jsonrpc: '2.0',
    id: 2,
    result: { resultType: 'complete', content: [] },
  })
  const { _meta, ...params } = seen[1] as Json
  assert.deepEqual(params, { ...again, requestState: 'own state' })
  assert.ok(_meta)
})

test('the request that goes on keeps every digit of its numbers', async (t) => {
  const entrance = await openModern(t)
  asksItself(entrance)
  const first = await modern(entrance.url, 'tools/call', { name: 'x', arguments: { n: 1 } })
  let bytes = ''
  entrance.turns.set('tools/call', (_link, { request }) => {
    bytes = `${request.bytes}`
    return { answer: resultMessage(request.id ?? 0, {}) }
  })
  const { headers } = modernRequest('tools/call', { name: 'x' })
  const meta = JSON.stringify({
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    wide: 0,
  }).replace('"wide":0', '"wide":12345678901234567890')
  const state = JSON.stringify(stateOf(first.json()))
  const body = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x","arguments":{"n":1},"requestState":${state},"_meta":${meta}}}`
  assert.equal((await raw(entrance.url, { headers, body })).status, 200)
  assert.match(bytes, /"wide":12345678901234567890/)
  assert.match(bytes, /"requestState":"own state"/)
})

test('what a tool asks keeps every digit of its numbers', async (t) => {
  const entrance = await openModern(t)
  const line =
    '{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s","n":1e400}}'
  entrance.turns.set('tools/call', () => ({ answer: readToolLine(Buffer.from(line)) as never }))
  const { text } = await modern(entrance.url, 'tools/call', CALL)
  assert.match(text, /"n":1e400/)
  assert.doesNotMatch(text, /"requestState":"s"/)
})

test('a tool that asks without a state stays without one', async (t) => {
  const entrance = await openModern(t)
  const result = { resultType: 'input_required', inputRequests: ASKS }
  entrance.turns.set('prompts/get', (_link, { request }) => ({
    answer: resultMessage(request.id ?? 0, result),
  }))
  const reply = await modern(entrance.url, 'prompts/get', { name: 'x' })
  assert.deepEqual(resultOf(reply.json()), result)
})

test('a call that waits here is asked for, and gone on with', async (t) => {
  const entrance = await openModern(t)
  parks(entrance)
  const first = (await modern(entrance.url, 'tools/call', CALL)).json()
  const { resultType, inputRequests, requestState } = resultOf(first)
  assert.deepEqual([resultType, inputRequests], ['input_required', ASKS])
  assert.doesNotMatch(String(requestState), /call 7/)
  const retry = { ...CALL, requestState, inputResponses: ANSWERS }
  const second = await modern(entrance.url, 'tools/call', retry, { id: 'b' })
  assert.equal(second.json().id, 'b')
  assert.deepEqual(entrance.resumed, [['call 7', ANSWERS]])
})

const OTHERS: readonly (readonly [string, (entrance: Entrance) => void, Json])[] = [
  ['another caller', (entrance) => Object.assign(entrance, { caller: 'bob' }), {}],
  [
    'another version of the tool',
    (entrance) => Object.assign(entrance, { tool: { ...entrance.tool, version: 'v2' } }),
    {},
  ],
  ['other arguments', () => {}, { arguments: { a: 2 } }],
  ['another function', () => {}, { name: 'y' }],
  ['more params', () => {}, { task: {} }],
]

for (const [what, change, params] of OTHERS) {
  test(`a state is refused with ${what}`, async (t) => {
    const entrance = await openModern(t)
    parks(entrance)
    const requestState = stateOf((await modern(entrance.url, 'tools/call', CALL)).json())
    change(entrance)
    const reply = await modern(entrance.url, 'tools/call', { ...CALL, ...params, requestState })
    assert.equal(reply.status, 200)
    assert.equal(errorOf(reply.json()).code, -32602)
    assert.deepEqual(entrance.resumed, [])
  })
}

test('a state that was tampered with, or is none, is refused before anything runs', async (t) => {
  const entrance = await openModern(t)
  const seen = asksItself(entrance)
  const state = stateOf((await modern(entrance.url, 'tools/call', CALL)).json())
  const flipped = `${state[0] === 'A' ? 'B' : 'A'}${state.slice(1)}`
  for (const requestState of [`${state}-TAMPERED`, flipped, '', 'own state', 7, {}, null]) {
    const reply = await modern(entrance.url, 'tools/call', { ...CALL, requestState })
    assert.equal(errorOf(reply.json()).code, -32602)
  }
  assert.equal(seen.length, 1)
})

test('answers that are no object are refused', async (t) => {
  const entrance = await openModern(t)
  const seen = asksItself(entrance)
  for (const inputResponses of [[], 'x', 1, null]) {
    const reply = await modern(entrance.url, 'tools/call', { ...CALL, inputResponses })
    assert.equal(reply.status, 200)
    assert.equal(errorOf(reply.json()).code, -32602)
  }
  assert.equal(seen.length, 0)
  await modern(entrance.url, 'tools/call', { ...CALL, inputResponses: {} })
  assert.equal(seen.length, 1)
})

test('what a call that waits is answered keeps every digit of its numbers', async (t) => {
  const entrance = await openModern(t)
  parks(entrance)
  const requestState = stateOf((await modern(entrance.url, 'tools/call', CALL)).json())
  const { headers, body } = modernRequest('tools/call', {
    ...CALL,
    requestState,
    inputResponses: 0,
  })
  const text = JSON.stringify(body).replace(':0', ':{"who":{"n":12345678901234567890}}')
  assert.equal((await raw(entrance.url, { headers, body: text })).status, 200)
  assert.equal(JSON.stringify(entrance.resumed[0]?.[1]), '{"who":{"n":12345678901234567890}}')
})

test('a state is of another request where a number differs in any digit', async (t) => {
  const entrance = await openModern(t)
  const seen = asksItself(entrance)
  const call = (number: string, more: Json = {}) => {
    const { headers, body } = modernRequest('tools/call', { name: 'x', arguments: 0, ...more })
    const text = JSON.stringify(body).replace('"arguments":0', `"arguments":{"n":${number}}`)
    return raw(entrance.url, { headers, body: text })
  }
  for (const [given, other] of [
    ['9007199254740993', '9007199254740992'],
    ['1e400', 'null'],
  ] as const) {
    const requestState = stateOf((await call(given)).json())
    assert.equal(errorOf((await call(other, { requestState })).json()).code, -32602)
    assert.equal(resultOf((await call(given, { requestState })).json()).resultType, 'complete')
  }
  assert.equal(seen.length, 4)
})

test('a state that its client could not bring back is refused when the tool gives it', async (t) => {
  const entrance = await openModern(t)
  let requestState = 'x'.repeat(300_000)
  entrance.turns.set('tools/call', (_link, { request }) => ({
    answer: resultMessage(request.id ?? 0, { resultType: 'input_required', requestState }),
  }))
  assert.ok(stateOf((await modern(entrance.url, 'tools/call', CALL)).json()).length > 400_000)
  requestState = 'x'.repeat(5_000_000)
  const refused = await modern(entrance.url, 'tools/call', CALL, { id: 'big' })
  assert.equal(refused.json().id, 'big')
  const { code, message } = errorOf(refused.json())
  assert.deepEqual([code, /500000 bytes/.test(message)], [-32013, true])
  assert.ok(refused.text.length < 1000)
})
