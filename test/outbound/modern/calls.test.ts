import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../../src/errors.ts'
import { META } from '../../../src/protocol/meta.ts'
import {
  alone,
  CLIENT,
  call,
  cancelOf,
  code,
  failure,
  metaOf,
  modern,
  open,
  paramsOf,
  session,
  unopened,
} from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'echo', _meta: CLIENT } }
const withToken = (progressToken: string | number) => ({
  ...CALL,
  params: { ...CALL.params, _meta: { ...CLIENT, progressToken } },
})

test('two clients with one id are told apart, by its type too', async () => {
  const opened = await open()
  const { tool } = opened
  const link = modern()
  const calls = [
    call(opened, link, { ...CALL, id: 1 }),
    call(opened, link, { ...CALL, id: '1' }),
    call(opened, modern(), { ...CALL, id: 1 }),
  ]
  const ids: unknown[] = []
  for (const _ of calls) ids.push((await tool.next('tools/call')).id)
  assert.equal(new Set(ids).size, 3)
  for (const id of ids.toReversed()) tool.say({ id, result: { told: id } })
  const answers = await Promise.all(calls.map(({ answer }) => answer))
  assert.deepEqual(
    answers,
    [1, '1', 1].map((id, at) => ({ jsonrpc: '2.0', id, result: { told: ids[at] } })),
  )
})

test('what is unknown passes, and no byte but the id changes on the way', async () => {
  const opened = await open()
  const { tool } = opened
  const rest =
    '"method":"com.example/shout","params":{"_meta":{"com.example/k":[1.50]},"n":123456789012345678901}'
  const shout = call(opened, modern(), `{"jsonrpc":"2.0","id":"a",${rest}}`)
  const { id } = await tool.next('com.example/shout')
  assert.equal(tool.lastLine, `{"jsonrpc":"2.0","id":${id},${rest}}`)
  const result = '{ "resultType":"com.example/kind", "n":1.500e400, "_meta":{"k":"\\u00e9"} }'
  tool.line(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
  assert.equal(await shout.text, `{"jsonrpc":"2.0","result":${result},"id":"a"}`)
})

test('a result that asks for input and an error pass whole', async () => {
  const opened = await open()
  const { tool } = opened
  const asks = call(opened, modern(), CALL)
  const asked = { resultType: 'input_required', inputRequests: {}, requestState: 'raw' }
  tool.answer(await tool.next('tools/call'), asked)
  assert.deepEqual((await asks.answer).result, asked)
  const fails = call(opened, modern(), CALL)
  const error = { code: -32021, message: 'no', data: { requiredCapabilities: {} } }
  tool.say({ id: (await tool.next('tools/call')).id, error })
  assert.deepEqual((await fails.answer).error, error)
})

test('progress finds its call by our token, under the token of the client', async () => {
  const opened = await open()
  const { tool } = opened
  const first = call(opened, modern(), withToken('p'))
  const second = call(opened, modern(), withToken(7))
  const sent = [await tool.next('tools/call'), await tool.next('tools/call')]
  for (const { id } of sent) assert.equal(typeof id, 'number')
  const [one, two] = sent.map((request) => metaOf(request).progressToken)
  const progress = (progressToken: unknown, more: object) =>
    tool.say({ method: 'notifications/progress', params: { progressToken, ...more } })
  progress(two, { progress: 2 })
  progress(one, { progress: 1, _meta: { k: 1 } })
  progress('p', { progress: 3 })
  progress(99, { progress: 3 })
  tool.say({ method: 'com.example/pulse', params: { progressToken: one, beat: 1 } })
  assert.deepEqual(
    first.notes.map((note) => [note.method, note.params]),
    [
      ['notifications/progress', { progressToken: 'p', progress: 1, _meta: { k: 1 } }],
      ['com.example/pulse', { progressToken: 'p', beat: 1 }],
    ],
  )
  assert.deepEqual(
    second.notes.map(({ params }) => params),
    [{ progressToken: 7, progress: 2 }],
  )
})

test('progress after the answer is for nobody', async () => {
  const opened = await open()
  const { tool } = opened
  const done = call(opened, modern(), withToken('p'))
  const sent = await tool.next('tools/call')
  tool.answer(sent, {})
  tool.say({ method: 'notifications/progress', params: { progressToken: sent.id, progress: 1 } })
  await done.answer
  assert.deepEqual(done.notes, [])
})

test('a call that is given up is cancelled under our id, once, for the first reason', async () => {
  const opened = await open()
  const { tool, connection } = opened
  const given = call(opened, modern(), { ...CALL, id: 'x' })
  const { id } = await tool.next('tools/call')
  connection.cancel(given, new ToolgateError('timeout', 'too long'))
  connection.cancel(given, new ToolgateError('cancelled', 'left'))
  assert.equal(await code(given.answer), 'timeout')
  const cancelled = await tool.next('notifications/cancelled')
  assert.deepEqual(paramsOf(cancelled), { requestId: id, reason: 'too long' })
  tool.say({ id, result: {} })
  assert.deepEqual(tool.unseen, [])
})

test('a client cancels its own call by its own id', async () => {
  const opened = await open()
  const { tool, connection } = opened
  const [mine, other] = [modern(), modern()]
  const kept = call(opened, other, { ...CALL, id: 5 })
  const dropped = call(opened, mine, { ...CALL, id: 5 })
  const requests = [await tool.next('tools/call'), await tool.next('tools/call')]
  for (const requestId of ['5', 5, 5]) connection.tell(mine, cancelOf(requestId))
  assert.equal(await code(dropped.answer), 'cancelled')
  const cancelled = await tool.next('notifications/cancelled')
  assert.equal(paramsOf(cancelled).requestId, requests[1]?.id)
  assert.deepEqual(tool.unseen, [])
  tool.answer(requests[0] ?? {}, { ok: true })
  assert.deepEqual((await kept.answer).result, { ok: true })
})

test('an id is refused while it is in use, and free when its call has ended', async () => {
  const opened = await open()
  const { tool, connection } = opened
  const link = modern()
  const first = call(opened, link, CALL)
  const again = call(opened, link, CALL)
  assert.equal(await code(again.answer), 'conflict')
  // What was refused is not the call that goes on.
  connection.cancel(again, new ToolgateError('cancelled', 'left'))
  tool.answer(await tool.next('tools/call'), { ok: 1 })
  await first.answer
  const third = call(opened, link, CALL)
  connection.cancel(third, new ToolgateError('cancelled', 'left'))
  const fourth = call(opened, link, CALL)
  await tool.next('tools/call')
  await tool.next('notifications/cancelled')
  tool.answer(await tool.next('tools/call'), { ok: 2 })
  assert.deepEqual((await fourth.answer).result, { ok: 2 })
})

test('a link that leaves takes its calls with it, and no other', async () => {
  const opened = await open()
  const { tool, connection } = opened
  const [leaver, stayer] = [modern(), modern()]
  const lost = call(opened, leaver, CALL)
  const kept = call(opened, stayer, CALL)
  const sent = [await tool.next('tools/call'), await tool.next('tools/call')]
  connection.detach(leaver, 'answered')
  connection.detach(leaver, 'again')
  assert.equal(await code(lost.answer), 'tool_gone')
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, sent[0]?.id)
  tool.answer(sent[1] ?? {}, {})
  await kept.answer
  assert.equal(await code(connection.call(lost)), 'bad_request')
})

test('the end of the process is the end of every call', async () => {
  const opened = await open()
  const { tool, connection } = opened
  const calls = [modern(), session(), alone()].map((link) => call(opened, link, CALL))
  const asking = connection.ask('tools/list', {}, 10_000)
  await tool.end('it exited with code 1')
  const error = await failure(calls[0]?.answer ?? Promise.resolve())
  assert.equal(error.message, 'The tool is gone: it exited with code 1.')
  for (const { answer } of calls) assert.equal(await code(answer), 'tool_gone')
  assert.equal(await code(asking), 'tool_gone')
  assert.equal(await code(call(opened, modern(), CALL).answer), 'tool_gone')
  assert.equal(await connection.alive(10_000), true)
})

test('a request of the tool is refused, and an answer to nothing is skipped', async () => {
  const { tool } = await open()
  tool.say({ id: 'q', method: 'sampling/createMessage', params: {} })
  assert.match(tool.lastLine, /"id":"q","error":\{"code":-32601/)
  tool.say({ id: 77, result: {} })
  tool.say({ id: null, error: { code: -32700, message: 'what?' } })
  tool.say({ method: 'com.example/unknown' })
  assert.equal(tool.unseen.length, 1)
})

test('any answer shows that it lives, and silence that it may not', async () => {
  const { tool, connection } = await open()
  const alive = connection.alive(10_000)
  const { id, params } = await tool.next('server/discover')
  assert.deepEqual(Object.keys((params as { _meta: object })._meta), [
    META.protocolVersion,
    META.clientInfo,
    META.clientCapabilities,
  ])
  tool.say({ id, error: { code: -32000, message: 'busy' } })
  assert.equal(await alive, true)
  assert.equal(await connection.alive(1), false)
})

test('a request of our own says what we are', async () => {
  const { tool, connection } = await open()
  const asked = connection.ask('tools/list', { cursor: 'c' }, 10_000)
  const request = await tool.next('tools/list')
  assert.equal(paramsOf(request).cursor, 'c')
  assert.deepEqual(metaOf(request), {
    [META.protocolVersion]: '2026-07-28',
    [META.clientInfo]: { name: 'toolgate', version: '1.2.3' },
    [META.clientCapabilities]: {},
  })
  tool.answer(request, { tools: [] })
  assert.deepEqual((await asked).json().result, { tools: [] })
})

test('it is drained when the last call has ended, whatever still listens', async () => {
  const opened = await open()
  const { tool, connection } = opened
  await connection.drained(10_000)
  const last = call(opened, modern(), CALL)
  call(opened, modern(), { method: 'subscriptions/listen', params: { _meta: CLIENT } })
  const request = await tool.next('tools/call')
  await tool.next('subscriptions/listen')
  assert.deepEqual(connection.serving(), { requestId: 'request-1' })
  const drained = connection.drained(10_000)
  tool.answer(request, {})
  await Promise.all([drained, last.answer])
  const slow = call(opened, modern(), CALL)
  await connection.drained(1)
  connection.cancel(slow, new ToolgateError('cancelled', 'left'))
  await connection.drained(10_000)
})

test('a tool that refuses or misunderstands the handshake has not started', async () => {
  const told = async (answer: object) => {
    const { tool, connection } = unopened()
    const handshake = connection.handshake('1')
    assert.throws(() => connection.discovered, /no handshake/)
    tool.say({ id: (await tool.next('server/discover')).id, ...answer })
    return failure(handshake)
  }
  const error = { code: -32601, message: 'Method not found' }
  const refused = await told({ error })
  assert.equal(refused.code, 'tool_failed_to_start')
  assert.match(refused.message, /Method not found/)
  assert.deepEqual(refused.cause, error)
  assert.equal((await told({ result: { capabilities: {} } })).code, 'tool_misbehaved')
  assert.equal((await told({ result: 5 })).code, 'tool_misbehaved')
  const older = { supportedVersions: ['2025-11-25'], capabilities: {} }
  assert.equal((await told({ result: older })).code, 'tool_failed_to_start')
})

test('a tool that ends in the handshake is gone', async () => {
  const { tool, connection } = unopened()
  const handshake = connection.handshake('1')
  await tool.end('it exited with code 3')
  assert.equal(await code(handshake), 'tool_gone')
})

test('what it discovered is kept', async () => {
  const { connection } = await open({ capabilities: { tools: {} }, discover: { x: 1 } })
  assert.equal(connection.discovered.x, 1)
})
