import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import supertest from 'supertest'
import type { Call, InputRequests } from '../../src/call/call.ts'
import { holdUnsent } from '../../src/inbound/unsent.ts'
import { addTool, type House, inputOf, openHouse, progress, result } from './house.ts'

let house: House
const open = { type: 'object' }
const FORM = {
  method: 'elicitation/create',
  params: { message: 'Who are you?', requestedSchema: { properties: { name: open } } },
}

before(async () => {
  house = await openHouse()
})
beforeEach(() => {
  addTool(house, 'box', [
    { name: 'ask', inputSchema: open },
    { name: 'typed', inputSchema: open, outputSchema: open },
  ])
  house.behaviours.set('box/ask', async (call) => {
    const told = await ask(call, { name: FORM })
    return result(call, { content: [{ told, input: inputOf(call) }] })
  })
})
after(() => house.close())

const ask = async (call: Call, requests: InputRequests) => call.ask?.(requests)
const post = (path: string, body: object, headers = {}) =>
  supertest(house.url).post(path).set(headers).send(body)
const begin = async (headers = {}) => {
  const { body } = await post('/v1/tools/box/ask', { a: 1 }, headers).expect(409)
  return body.continuation as string
}
const go = (continuation: unknown, inputResponses: object = ANSWERS, headers = {}) =>
  post('/v1/continuations', { continuation, inputResponses }, headers)
const ANSWERS = { name: { action: 'accept', content: { name: 'Ada' } } }
const events = (text: string) =>
  [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, name, data]) => [
    name,
    JSON.parse(data ?? ''),
  ])

test('A function that asks for input is 409, and says what it asks and how to go on', async () => {
  const answer = await post('/v1/tools/box/ask', { a: 1 }).expect(409)
  assert.equal(answer.type, 'application/problem+json')
  assert.equal(answer.body.code, 'input_required')
  assert.deepEqual(answer.body.inputRequests, { name: FORM })
  assert.match(answer.body.detail, /POST .*\/v1\/continuations/)
  assert.equal(answer.get('X-MCP-Tool'), 'box')
  assert.equal(house.parked.count, 1)
  const last = await go(answer.body.continuation).expect(200)
  assert.deepEqual(last.body, { content: [{ told: ANSWERS, input: { a: 1 } }] })
  assert.equal(last.get('X-MCP-Tool'), 'box')
  assert.equal(house.parked.count, 0)
})

test('What can be asked over REST is a form, a URL or a model, and nothing of folders', async () => {
  let seen: unknown
  house.behaviours.set('box/ask', (call) => {
    const { capabilities, clientInfo, logLevel } = call.link
    seen = { capabilities, name: clientInfo?.name, logLevel }
    return result(call, { content: [] })
  })
  const capabilities = { elicitation: { form: {}, url: {} }, sampling: {} }
  await post('/v1/tools/box/ask', {}).expect(200)
  assert.deepEqual(seen, { capabilities, name: 'toolgate-rest', logLevel: undefined })
  await post('/v1/tools/box/ask', {}, { Accept: 'text/event-stream' }).expect(200)
  assert.deepEqual(seen, { capabilities, name: 'toolgate-rest', logLevel: 'info' })
})

test('Invoke asks, and is gone on with, in the same way', async () => {
  const call = { tool_name: 'box__ask', arguments: { b: 2 } }
  const { body } = await post('/mcp/invoke', call).expect(409)
  const last = await go(body.continuation).expect(200)
  assert.deepEqual(last.body, { content: [{ told: ANSWERS, input: { b: 2 } }] })
})

test('A call may ask again, and what is missing is asked again', async () => {
  house.behaviours.set('box/ask', async (call) => {
    const first = await ask(call, { a: FORM, b: FORM })
    const second = await ask(call, { c: FORM })
    return result(call, { content: [{ ...first, ...second }] })
  })
  let continuation = await begin()
  const seen = new Set([continuation])
  const answered = { action: 'decline' }
  for (const [answers, asked] of [
    [{ b: answered }, ['a']],
    [{}, ['a']],
    [{ a: answered, unknown: {} }, ['c']],
  ] as const) {
    const { body } = await go(continuation, answers).expect(409)
    assert.deepEqual(Object.keys(body.inputRequests), asked)
    continuation = body.continuation
    seen.add(continuation)
  }
  assert.equal(seen.size, 4)
  const last = await go(continuation, { c: answered }).expect(200)
  assert.deepEqual(last.body.content, [{ a: answered, b: answered, c: answered }])
})

test('The second request answers as the first would have', async () => {
  for (const [name, ended, status] of [
    ['typed', { structuredContent: { n: 1 } }, 200],
    ['typed', { content: [] }, 502],
    ['ask', { isError: true, content: [{ type: 'text', text: 'division by zero' }] }, 422],
  ] as const) {
    house.behaviours.set(`box/${name}`, async (call) => {
      await ask(call, { name: FORM })
      return result(call, ended)
    })
    const { body } = await post(`/v1/tools/box/${name}`, {}).expect(409)
    const last = await go(body.continuation).expect(status)
    if (status === 200) assert.deepEqual(last.body, { n: 1 })
    if (status === 422) assert.equal(last.body.detail, 'division by zero')
  }
})

test('A continuation is good once', async () => {
  const continuation = await begin()
  await go(continuation).expect(200)
  const { body } = await go(continuation).expect(400)
  assert.equal(body.code, 'invalid_params')
  assert.match(body.detail, /already.*Call again/)
})

test('A continuation is good for the caller it was given to', async () => {
  const [ann, bob] = [{ 'X-Caller': 'ann' }, { 'X-Caller': 'bob' }]
  const continuation = await begin(ann)
  for (const other of [bob, {}]) {
    const { body } = await go(continuation, ANSWERS, other).expect(400)
    assert.match(body.detail, /"continuation" belongs to another.*Call again/)
  }
  await go(continuation, ANSWERS, ann).expect(200)
})

test('A continuation that was changed, or is none, is refused', async () => {
  const continuation = await begin()
  const [value, signature] = continuation.split('.')
  const forged = Buffer.from(`["parked","[]","anonymous"]`).toString('base64url')
  for (const wrong of [`${continuation}A`, `${forged}.${signature}`, `${value}.`, 'x', 'a.b.c']) {
    const { body } = await go(wrong).expect(400)
    assert.match(body.detail, /"continuation" was not signed here\. Call again/)
  }
  for (const wrong of [undefined, 7, '', null]) {
    const { body } = await go(wrong).expect(400)
    assert.equal(body.errors[0].path, '/body/continuation')
  }
  await go(continuation).expect(200)
})

test('Answers that are none are refused, and the call waits on', async () => {
  const continuation = await begin()
  for (const wrong of [undefined, 'x', { name: 'Ada' }, { name: [] }, { name: null }]) {
    const asked = post('/v1/continuations', { continuation, inputResponses: wrong })
    const { body } = await asked.expect(400)
    assert.match(body.errors[0].path, /^\/body\/inputResponses/)
  }
  await go(continuation).expect(200)
})

test('A tool that has changed meanwhile is called again from the start', async () => {
  const continuation = await begin()
  addTool(house, 'box', [{ name: 'ask', inputSchema: open }], { version: 'v2' })
  const { body } = await go(continuation).expect(400)
  assert.match(body.detail, /another version of the tool "box"\. Call again/)
  house.entries.delete('box')
  await go(continuation).expect(404)
})

test('A tool that is hidden meanwhile is gone on with no more', async () => {
  const continuation = await begin()
  house.hidden.add('box')
  await go(continuation).expect(403)
  house.hidden.delete('box')
  await go(continuation).expect(200)
})

test('One call too many that waits is 503 and names the limit', async () => {
  const cid = { 'X-Caller': 'cid' }
  const waiting = []
  for (let count = 0; count < 4; count += 1) waiting.push(await begin(cid))
  const { body } = await post('/v1/tools/box/ask', {}, cid).expect(503)
  assert.match(body.detail, /sessions\.parked/)
  for (const continuation of waiting) await go(continuation, ANSWERS, cid).expect(200)
})

test('As events, a question is a problem where nothing was sent yet, else the last event', async () => {
  const stream = { Accept: 'text/event-stream' }
  const early = await post('/v1/tools/box/ask', {}, stream).expect(409)
  assert.equal(early.type, 'application/problem+json')
  house.behaviours.set('box/ask', async (call) => {
    call.notify(progress(call, 1))
    const told = await ask(call, { name: FORM })
    call.notify(progress(call, 2))
    return result(call, { content: [told] })
  })
  const seen = events((await post('/v1/tools/box/ask', {}, stream).expect(200)).text)
  assert.deepEqual(
    seen.map(([name]) => name),
    ['progress', 'error'],
  )
  const problem = seen[1]?.[1]
  assert.deepEqual([problem.status, problem.code], [409, 'input_required'])
  assert.deepEqual(problem.inputRequests, { name: FORM })
  const last = events((await go(problem.continuation, ANSWERS, stream).expect(200)).text)
  assert.deepEqual(last, [
    ['progress', { progress: 2, total: 3 }],
    ['result', { content: [ANSWERS] }],
  ])
})

test('A question that would be one unread too many is not kept', async (t) => {
  house.behaviours.set('box/ask', async (call) => {
    call.notify(progress(call, 1))
    return result(call, await ask(call, { name: { ...FORM, params: 'x'.repeat(1_000_000) } }))
  })
  const other = new EventEmitter() as ServerResponse
  assert.ok(holdUnsent(other, 256 * 1024 * 1024))
  t.after(() => other.emit('close'))
  for (const Accept of ['application/json', 'text/event-stream']) {
    const asked = post('/v1/tools/box/ask', {}, { Accept })
    await assert.rejects(asked.then(), /socket hang up|aborted|ECONNRESET/)
  }
  other.emit('close')
  await post('/v1/tools/box/ask', {}).expect(409)
})

test('Numbers of an answer reach the tool as they were written', async () => {
  let text = ''
  house.behaviours.set('box/ask', async (call) => {
    text = JSON.stringify(await ask(call, { name: FORM }))
    return result(call, { content: [] })
  })
  const continuation = JSON.stringify(await begin())
  await supertest(house.url)
    .post('/v1/continuations')
    .type('json')
    .send(`{"continuation":${continuation},"inputResponses":{"name":{"n":12345678901234567890}}}`)
    .expect(200)
  assert.equal(text, '{"name":{"n":12345678901234567890}}')
})

test('A client that goes away gives up the call that goes on', async () => {
  const entered = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  house.behaviours.set('box/ask', async (call) => {
    await ask(call, { name: FORM })
    call.signal?.addEventListener('abort', () => aborted.resolve())
    entered.resolve()
    await aborted.promise
    throw call.signal?.reason
  })
  const continuation = await begin()
  const headers = { 'content-type': 'application/json' }
  const req = request(`${house.url}/v1/continuations`, { method: 'POST', headers })
  req.on('error', () => {})
  req.end(JSON.stringify({ continuation, inputResponses: ANSWERS }))
  await entered.promise
  req.destroy()
  await aborted.promise
})
