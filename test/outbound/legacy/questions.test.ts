import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ToolgateError } from '../../../src/errors.ts'
import { CALL_ID } from '../../../src/protocol/meta.ts'
import { asked, CLIENT, call, code, type Json, linkOf, modern, type Opened, open } from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'asks' } }
const FORM = { mode: 'form', message: 'Who?', requestedSchema: { type: 'object', properties: {} } }
const ELICIT = { method: 'elicitation/create', params: FORM }
const NOBODY = { code: -32601, message: 'There is no client that can be asked.' }
const alone = () => open({ exclusive: true, capabilities: { elicitation: {} } })

/** The tool's answer to what it asked next. */
function told({ tool }: Opened): Promise<Json> {
  return tool.next(undefined)
}

test('the one open call is asked, and the tool gets the answer under its id', async () => {
  const opened = await alone()
  const client = asked()
  const answered = call(opened, modern(), CALL, client.ask)
  const request = await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', ...ELICIT })
  assert.deepEqual(client.requests, [{ 'elicitation-1': ELICIT }])
  client.answer({ action: 'accept', content: { who: 'me' } })
  const result = { action: 'accept', content: { who: 'me' } }
  assert.deepEqual(await told(opened), { jsonrpc: '2.0', id: 'q', result })
  opened.tool.answer(request, {})
  await answered.answer
})

test('numbers in what is asked keep their digits', async () => {
  const opened = await alone()
  const client = asked()
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  const params = '{"message":"How many?","requestedSchema":{"maximum":18446744073709551615}}'
  opened.tool.line(`{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":${params}}`)
  assert.ok(JSON.stringify(client.requests).includes(params))
})

test('a modern client is not told the id of an elicitation, a legacy one is', async () => {
  const url = { mode: 'url', url: 'https://a.example', message: 'Open.', elicitationId: 'e' }
  const { elicitationId: _id, ...known } = url
  for (const [link, params] of [
    [modern(), known],
    [linkOf({ era: 'legacy' }), url],
  ] as const) {
    const opened = await alone()
    const client = asked()
    void call(opened, link, CALL, client.ask)
    opened.tool.say({ id: 1, method: 'elicitation/create', params: url })
    assert.deepEqual(client.requests[0], {
      'elicitation-1': { method: 'elicitation/create', params },
    })
  }
})

test('what comes before any call is asked in the next one; no more than eight such', async () => {
  const opened = await open({ exclusive: true, capabilities: { roots: {} } })
  opened.tool.say({ id: 'never', ...ELICIT })
  assert.deepEqual((await told(opened)).error, NOBODY)
  opened.tool.say({ id: 0, method: 'roots/list', params: { long: 'x'.repeat(70_000) } })
  assert.deepEqual((await told(opened)).error, NOBODY)
  for (let id = 1; id <= 9; id += 1) opened.tool.say({ id, method: 'roots/list' })
  assert.deepEqual((await told(opened)).error, NOBODY)
  opened.tool.say({ method: 'notifications/cancelled', params: { requestId: 8 } })
  const client = asked()
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  assert.equal(client.requests.length, 7)
  assert.deepEqual(client.requests[0], { 'roots-1': { method: 'roots/list' } })
  client.answer({ roots: [] })
  assert.deepEqual(await told(opened), { jsonrpc: '2.0', id: 1, result: { roots: [] } })
})

test('what comes between two calls is about the one that has ended, and asked of nobody', async () => {
  const opened = await alone()
  const first = call(opened, modern(), CALL, asked().ask)
  opened.tool.answer(await opened.tool.next('tools/call'), {})
  await first.answer
  opened.tool.say({ id: 'late', ...ELICIT })
  assert.deepEqual((await told(opened)).error, NOBODY)
  const client = asked()
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  assert.deepEqual(client.requests, [])
})

test('a tool owes an answer to the call that was given up, until it gives one', async () => {
  const opened = await alone()
  const left = call(opened, modern(), CALL, asked().ask)
  const request = await opened.tool.next('tools/call')
  assert.equal(opened.connection.owes, false)
  opened.connection.cancel(left, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(left.answer), 'cancelled')
  assert.equal(opened.connection.owes, true)
  opened.tool.answer(request, {})
  assert.equal(opened.connection.owes, false)
})

test('what one call asks at once is bounded in bytes, and counts until it is answered', async () => {
  const opened = await alone()
  const client = asked()
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  const long = { ...ELICIT, params: { ...FORM, message: 'x'.repeat(1_500_000) } }
  for (const id of ['a', 'b', 'c']) opened.tool.say({ id, ...long })
  const { id, error } = await told(opened)
  assert.deepEqual([id, error], ['c', { code: -32600, message: 'Too much is asked at once.' }])
  assert.equal(client.requests.length, 2)
  client.answer({ action: 'cancel' })
  assert.equal((await told(opened)).id, 'a')
  opened.tool.say({ id: 'd', ...long })
  assert.equal(client.requests.length, 3)
})

test('where nobody can be asked the tool is told so, and the call goes on', async () => {
  const shared = await open()
  void call(shared, modern(), CALL, asked().ask)
  await shared.tool.next('tools/call')
  shared.tool.say({ id: 1, ...ELICIT })
  assert.deepEqual((await told(shared)).error, NOBODY)
  const opened = await alone()
  const mute = call(opened, modern(), CALL)
  const request = await opened.tool.next('tools/call')
  opened.tool.say({ id: 1, ...ELICIT })
  assert.deepEqual((await told(opened)).error, NOBODY)
  opened.tool.answer(request, {})
  await mute.answer
})

test('two open calls make it nobody’s question, and a listen makes no difference', async () => {
  const opened = await alone()
  const client = asked()
  const listen = { method: 'subscriptions/listen', params: { notifications: {}, _meta: CLIENT } }
  void call(opened, modern(), listen)
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  opened.tool.say({ id: 1, ...ELICIT })
  assert.equal(client.requests.length, 1)
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  opened.tool.say({ id: 2, ...ELICIT })
  assert.deepEqual((await told(opened)).error, NOBODY)
})

test('a client that refuses, or did not declare it, is an error to the tool only', async () => {
  const opened = await alone()
  const client = asked()
  const answered = call(opened, modern(), CALL, client.ask)
  const request = await opened.tool.next('tools/call')
  const said = { code: -1, message: 'User rejected it' }
  for (const [error, expected] of [
    [new ToolgateError('input_required', 'x', { data: { error: said } }), said],
    [new ToolgateError('missing_capability', 'no'), { code: -32601, message: 'no' }],
    [new ToolgateError('tool_misbehaved', 'what?'), { code: -32601, message: 'what?' }],
  ] as const) {
    opened.tool.say({ id: 1, ...ELICIT })
    client.refuse(error)
    assert.deepEqual((await told(opened)).error, expected)
  }
  opened.tool.answer(request, {})
  await answered.answer
})

test('what else ends the asking ends the call, and the tool is told both', async () => {
  const opened = await alone()
  const client = asked()
  const failed = call(opened, modern(), CALL, client.ask)
  const { id } = await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', ...ELICIT })
  client.refuse(new ToolgateError('timeout', 'nobody answered'))
  const { error } = await told(opened)
  assert.deepEqual(error, { code: -32016, message: 'nobody answered' })
  const cancelled = await opened.tool.next('notifications/cancelled')
  assert.equal((cancelled.params as Json).requestId, id)
  assert.equal(await code(failed.answer), 'timeout')
})

test('a call that is given up takes its questions with it, and its client’s late answer is dropped', async () => {
  const opened = await alone()
  const client = asked()
  const left = call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', ...ELICIT })
  opened.connection.cancel(left, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(left.answer), 'cancelled')
  await opened.tool.next('notifications/cancelled')
  const { id, error } = await told(opened)
  assert.deepEqual([id, error], ['q', { code: -32800, message: 'The caller left.' }])
  client.answer({ action: 'accept' })
  await turn()
  assert.deepEqual(opened.tool.unseen, [])
})

test('a question that the tool withdraws is not answered', async () => {
  const opened = await alone()
  const client = asked()
  const answered = call(opened, modern(), CALL, client.ask)
  const request = await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', ...ELICIT })
  opened.tool.say({ method: 'notifications/cancelled', params: { requestId: 'q' } })
  opened.tool.answer(request, {})
  await answered.answer
  client.answer({ action: 'accept' })
  await turn()
  assert.deepEqual(opened.tool.unseen, [])
})

test('an answer waits for what its client was asked before, so that the tool hears of it', async () => {
  const opened = await alone()
  const client = asked()
  let over = false
  const answered = call(opened, modern(), CALL, client.ask)
  void answered.answer.then(() => {
    over = true
  })
  const request = await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', method: 'roots/list' })
  opened.tool.answer(request, { content: [] })
  await turn()
  assert.equal(over, false)
  client.answer({ roots: [] })
  assert.deepEqual((await told(opened)).result, { roots: [] })
  await answered.answer
  // The client may also never answer: what was answered is not lost with it.
  const slow = call(opened, modern(), CALL, asked().ask)
  const next = await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', method: 'roots/list' })
  opened.tool.answer(next, { content: ['kept'] })
  await turn()
  opened.connection.cancel(slow, new ToolgateError('timeout', 'too late'))
  assert.deepEqual(((await slow.answer).result as Json).content, ['kept'])
})

test('the 257th question, and an id twice, are refused', async () => {
  const opened = await alone()
  const client = asked()
  void call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  opened.tool.say({ id: 0, ...ELICIT })
  opened.tool.say({ id: 0, ...ELICIT })
  assert.equal(((await told(opened)).error as Json).code, -32600)
  for (let id = 1; id <= 256; id += 1) opened.tool.say({ id, ...ELICIT })
  const { id, error } = await told(opened)
  assert.deepEqual([id, (error as Json).code], [256, -32600])
  assert.equal(client.requests.length, 256)
})

test('a ping is answered here', async () => {
  const opened = await open()
  opened.tool.say({ id: 'p', method: 'ping' })
  assert.deepEqual(await told(opened), { jsonrpc: '2.0', id: 'p', result: {} })
})

test('a child of our own names the call it asks for, and nobody else sees the name', async () => {
  const opened = await open({ correlated: true })
  const [ann, bob] = [asked(), asked()]
  void call(opened, modern(), CALL, ann.ask)
  void call(opened, linkOf({ era: 'legacy', kind: 'session' }), CALL, bob.ask)
  const [anns, bobs] = [await opened.tool.next('tools/call'), await opened.tool.next('tools/call')]
  const ask = (id: unknown, named: unknown, more = {}) =>
    opened.tool.say({
      id,
      method: 'elicitation/create',
      params: { _meta: { [CALL_ID]: named, ...more }, ...FORM },
    })
  ask('b', bobs.id)
  ask('a', anns.id, { own: 1 })
  assert.deepEqual(bob.requests, [{ 'elicitation-1': ELICIT }])
  const params = { _meta: { own: 1 }, ...FORM }
  assert.deepEqual(ann.requests, [{ 'elicitation-1': { ...ELICIT, params } }])
  ann.answer({ action: 'decline' })
  assert.equal((await told(opened)).id, 'a')
  for (const unknown of [999, 'x', null]) {
    ask('c', unknown)
    assert.deepEqual((await told(opened)).error, NOBODY)
  }
  opened.tool.say({ id: 'd', ...ELICIT })
  assert.deepEqual((await told(opened)).error, NOBODY)
})

test('any other tool that writes such a name gains nothing by it', async () => {
  const opened = await open()
  const client = asked()
  void call(opened, modern(), CALL, client.ask)
  const { id } = await opened.tool.next('tools/call')
  opened.tool.say({ id: 1, method: 'roots/list', params: { _meta: { [CALL_ID]: id } } })
  assert.deepEqual((await told(opened)).error, NOBODY)
  assert.deepEqual(client.requests, [])
})

test('news of an opened url reach the legacy client of the call', async () => {
  const done = { method: 'notifications/elicitation/complete', params: { elicitationId: 'e' } }
  const opened = await alone()
  const old = call(opened, linkOf({ era: 'legacy' }), CALL)
  opened.tool.say(done)
  assert.deepEqual(old.notes, [{ jsonrpc: '2.0', ...done }])
  opened.tool.answer(await opened.tool.next('tools/call'), {})
  await old.answer
  const young = call(opened, modern(), CALL)
  opened.tool.say(done)
  assert.deepEqual(young.notes, [])
})

test('when the process is gone its questions are gone', async () => {
  const opened = await alone()
  const client = asked()
  const lost = call(opened, modern(), CALL, client.ask)
  await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', ...ELICIT })
  await opened.tool.end('it fell over')
  assert.equal(await code(lost.answer), 'tool_gone')
  client.answer({ action: 'accept' })
  await turn()
  assert.deepEqual(opened.tool.unseen, [])
})
