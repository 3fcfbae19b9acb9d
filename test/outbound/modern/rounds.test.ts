import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InputRequests, InputResponses } from '../../../src/call/call.ts'
import { ToolgateError } from '../../../src/errors.ts'
import {
  alone,
  call,
  cancelOf,
  code,
  failure,
  type Json,
  metaOf,
  type Opened,
  open,
  paramsOf,
  session,
} from './given.ts'

const CALL = {
  method: 'tools/call',
  params: { name: 'echo', arguments: { n: 1 }, _meta: { progressToken: 'p' } },
}
const FORM = { method: 'elicitation/create', params: { mode: 'form', message: 'Who?' } }

/** A client that is asked: what it is asked, and how it answers. */
function client() {
  const asked: InputRequests[] = []
  const { promise, resolve, reject } = Promise.withResolvers<InputResponses>()
  const begun = Promise.withResolvers<void>()
  const ask = (requests: InputRequests) => {
    asked.push(requests)
    begun.resolve()
    return promise
  }
  return { ask, asked, begun: begun.promise, answer: resolve, refuse: reject }
}

const asksFor = async ({ tool }: Opened, result: Json): Promise<Json> => {
  const request = await tool.next('tools/call')
  tool.answer(request, { resultType: 'input_required', ...result })
  return request
}

test('what a tool asks for is asked of the client, and the request sent again', async () => {
  const opened = await open()
  const { ask, asked, answer } = client()
  const responses = { name: { action: 'accept', content: { name: 'Ann' } } }
  answer(responses)
  const given = call(opened, session(), { ...CALL, id: 'a' }, ask)
  const first = await asksFor(opened, { inputRequests: { name: FORM }, requestState: 'é\\" ' })
  const second = await asksFor(opened, { inputRequests: { name: FORM } })
  const third = await opened.tool.next('tools/call')
  assert.equal(new Set([first.id, second.id, third.id]).size, 3)
  const { _meta: _first, ...params } = paramsOf(first)
  for (const request of [second, third]) {
    assert.equal(metaOf(request).progressToken, request.id)
    const { _meta: meta, ...others } = paramsOf(request)
    assert.deepEqual(meta, { ...metaOf(first), progressToken: request.id })
    const state = request === second ? { requestState: 'é\\" ' } : {}
    assert.deepEqual(others, { ...params, inputResponses: responses, ...state })
  }
  const progress = { progressToken: third.id, progress: 1 }
  opened.tool.say({ method: 'notifications/progress', params: progress })
  opened.tool.answer(third, { resultType: 'complete', content: [] })
  assert.deepEqual(await given.answer, { jsonrpc: '2.0', id: 'a', result: { content: [] } })
  assert.deepEqual(asked, [{ name: FORM }, { name: FORM }])
  assert.deepEqual(given.notes[0]?.params, { progressToken: 'p', progress: 1 })
})

test('numbers in what is asked keep their digits', async () => {
  const opened = await open()
  const { ask, asked, begun } = client()
  void call(opened, session(), CALL, ask)
  const { id } = await opened.tool.next('tools/call')
  const params = '{"message":"How many?","requestedSchema":{"maximum":18446744073709551615}}'
  const requests = `{"n":{"method":"elicitation/create","params":${params}}}`
  const result = `{"resultType":"input_required","inputRequests":${requests}}`
  opened.tool.line(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
  await begun
  assert.equal(JSON.stringify(asked[0]), requests)
})

test('what a client wrote in the place of answers and state is never passed on', async () => {
  const opened = await open()
  const forged = { inputResponses: { name: {} }, requestState: 'mine' }
  const n = '12345678901234567890'
  const params = JSON.stringify({ ...CALL.params, ...forged }).replace('"n":1', `"n":${n}`)
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
  const { answer } = call(opened, alone(), text, async () => ({}))
  const first = await asksFor(opened, { inputRequests: { name: FORM }, requestState: 'theirs' })
  assert.deepEqual(Object.keys(paramsOf(first)), ['_meta', 'name', 'arguments'])
  const second = await opened.tool.next('tools/call')
  assert.equal(paramsOf(second).requestState, 'theirs')
  assert.ok(opened.tool.lastLine.includes(`"n":${n}`))
  opened.tool.answer(second, {})
  await answer
})

test('where nothing can be asked the call fails and says what it would take', async () => {
  const opened = await open()
  const url = { method: 'elicitation/create', params: { mode: 'url' } }
  const { answer } = call(opened, alone(), CALL)
  await asksFor(opened, { inputRequests: { a: FORM, b: url, c: { method: 'roots/list' } } })
  const error = await failure(answer)
  assert.equal(error.code, 'missing_capability')
  assert.deepEqual(error.data, {
    requiredCapabilities: { elicitation: { form: {}, url: {} }, roots: {} },
  })
  assert.deepEqual(opened.tool.unseen, [])
})

test('a client that refuses fails the call, of which the tool has nothing left', async () => {
  const opened = await open()
  const { ask, refuse } = client()
  const { answer } = call(opened, session(), CALL, ask)
  refuse(new ToolgateError('input_required', 'no'))
  await asksFor(opened, { inputRequests: { name: FORM }, requestState: 's' })
  assert.equal(await code(answer), 'input_required')
  assert.deepEqual(opened.tool.unseen, [])
})

test('a call that is given up while its client is asked ends at once', async () => {
  const opened = await open()
  const { ask, begun, answer } = client()
  const given = call(opened, session(), CALL, ask)
  await asksFor(opened, { inputRequests: { name: FORM } })
  await begun
  const drained = opened.connection.drained(10_000)
  opened.connection.cancel(given, new ToolgateError('timeout', 'too long'))
  assert.equal(await code(given.answer), 'timeout')
  await drained
  answer({})
  const again = call(opened, given.link, CALL, ask)
  opened.tool.answer(await opened.tool.next('tools/call'), {})
  await again.answer
  assert.deepEqual(opened.tool.unseen, [])
})

test('a call that is given up just when its client has answered is not sent again', async () => {
  for (let depth = 0; depth < 12; depth += 1) {
    const opened = await open()
    const { ask, answer, begun } = client()
    const given = call(opened, session(), CALL, ask)
    await asksFor(opened, { inputRequests: { name: FORM }, requestState: 's' })
    await begun
    answer({ name: { action: 'cancel' } })
    for (let turn = 0; turn < depth; turn += 1) await undefined
    opened.connection.cancel(given, new ToolgateError('cancelled', 'The caller left.'))
    assert.equal(await code(given.answer), 'cancelled')
    const methods = opened.tool.unseen.map(({ method }) => method)
    const cancelled = ['tools/call', 'notifications/cancelled']
    assert.deepEqual(methods, methods.length === 0 ? [] : cancelled, `after ${depth} turns`)
  }
})

test('a call that is given up in a later round is cancelled under the id of that round', async () => {
  const opened = await open()
  const link = session()
  const { answer } = call(opened, link, { ...CALL, id: 9 }, async () => ({}))
  await asksFor(opened, { inputRequests: { name: FORM } })
  const { id } = await opened.tool.next('tools/call')
  opened.connection.tell(link, cancelOf(9))
  assert.equal(await code(answer), 'cancelled')
  assert.equal(paramsOf(await opened.tool.next('notifications/cancelled')).requestId, id)
})

test('a call whose tool ends while its client is asked ends with it', async () => {
  const opened = await open()
  const { ask, begun } = client()
  const { answer } = call(opened, session(), CALL, ask)
  await asksFor(opened, { inputRequests: { name: FORM } })
  await begun
  await opened.tool.end('it exited with code 1')
  assert.equal(await code(answer), 'tool_gone')
})

test('a tool that is busy is called again with its state, and nobody is asked', async () => {
  const opened = await open()
  const { answer } = call(opened, alone(), CALL)
  await asksFor(opened, { requestState: '1' })
  const second = await asksFor(opened, { inputRequests: {}, requestState: '2' })
  const third = await opened.tool.next('tools/call')
  assert.equal(paramsOf(second).requestState, '1')
  assert.equal(paramsOf(third).requestState, '2')
  assert.equal('inputResponses' in paramsOf(third), false)
  opened.tool.answer(third, { content: [] })
  await answer
})

test('a call that is given up while its tool is busy ends at once', async () => {
  const opened = await open()
  const link = session()
  const { answer } = call(opened, link, CALL)
  await asksFor(opened, { requestState: '1' })
  opened.connection.tell(link, cancelOf(1))
  assert.equal(await code(answer), 'cancelled')
  const next = call(opened, link, CALL)
  opened.tool.answer(await opened.tool.next('tools/call'), {})
  await next.answer
  assert.deepEqual(opened.tool.unseen, [])
})

test('a tool asks 16 times and no more', async () => {
  const opened = await open()
  const { answer } = call(opened, session(), CALL, async () => ({}))
  for (let round = 0; round <= 16; round += 1) {
    await asksFor(opened, { inputRequests: { name: FORM } })
  }
  assert.equal(await code(answer), 'tool_misbehaved')
  assert.deepEqual(opened.tool.unseen, [])
})

test('what a legacy client cannot be given is refused by name', async () => {
  const told = async (result: Json) => {
    const opened = await open()
    const { answer } = call(opened, session(), CALL, async () => ({}))
    opened.tool.answer(await opened.tool.next('tools/call'), result)
    const { code: what, message } = await failure(answer)
    assert.equal(what, 'tool_misbehaved')
    return message
  }
  assert.match(await told({ resultType: 'task', taskId: 't' }), /"task"/)
  assert.match(await told({ resultType: 5 }), /type 5/)
  const asks = { resultType: 'input_required' }
  assert.match(await told(asks), /neither for what/)
  assert.match(await told({ ...asks, requestState: 5 }), /no string/)
  assert.match(await told({ ...asks, inputRequests: { a: 1 } }), /256 requests/)
  const many = Object.fromEntries(Array.from({ length: 257 }, (_, at) => [at, FORM]))
  assert.match(await told({ ...asks, inputRequests: many }), /256 requests/)
  assert.match(await told({ ...asks, requestState: 'x'.repeat(2 ** 20) }), /bytes/)
})
