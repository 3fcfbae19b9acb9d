import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Call, InputRequests } from '../../src/call/call.ts'
import { ToolgateError } from '../../src/errors.ts'
import type { JsonObject } from '../../src/protocol/message.ts'
import { openStream, type RawStream, raw, type SseEvent } from '../harness/raw.ts'
import { ACCEPT, errorOf, type Json, messageIn, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { openEntrance } from './entrance.ts'

const asks: { call: Call; outcome: Promise<unknown> }[] = []
const entrance = await openEntrance(
  { after },
  {
    // Asks what it is told to, and answers with what it was answered.
    ask: (call, { requests }) => {
      const outcome = Promise.resolve(call.ask?.(requests as InputRequests))
      asks.push({ call, outcome })
      return outcome
    },
    // The same, and leaves before it is answered.
    leave: (call, { requests }) => {
      const outcome = Promise.resolve(call.ask?.(requests as InputRequests))
      outcome.catch(() => {})
      asks.push({ call, outcome })
      return { left: true }
    },
    asked: (call) => ({ canAsk: call.ask !== undefined }),
    'logging/setLevel': (_call, { level }) => {
      if (level === 'refused') throw new ToolgateError('invalid_params', 'No such level')
      return {}
    },
  },
)

const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 5 } }
const SCHEMA = { type: 'object', properties: {} }
const FORM = {
  method: 'elicitation/create',
  params: { mode: 'form', message: 'Who?', requestedSchema: SCHEMA },
}
const PAGE = {
  method: 'elicitation/create',
  params: { mode: 'url', message: 'Open it', url: 'https://example.com/' },
}
const ROOTS = { method: 'roots/list' }
const TOLD = { model: 'm', role: 'assistant', content: { type: 'text', text: 'Paris' } }

const question = (method: string) => (event: SseEvent) =>
  event.event === 'message' && messageIn(event).method === method
const answerTo = (id: unknown) => (event: SseEvent) => {
  const message = messageIn(event)
  return message.id === id && message.method === undefined
}
const ask = (requests: object) => ({ name: 'ask', arguments: { requests } })

async function asked(stream: RawStream, method: string): Promise<Json> {
  return messageIn(await stream.waitFor(method, question(method)))
}

test('each question is a request on the stream of its call, and its key is kept', async () => {
  const session = await openSession(entrance.url)
  const server = await session.listen()
  const stream = await session.stream('tools/call', ask({ a: SAMPLE, b: ROOTS }), 1)
  const sampling = await asked(stream, 'sampling/createMessage')
  const roots = await asked(stream, 'roots/list')
  assert.deepEqual(sampling.params, SAMPLE.params)
  assert.equal(roots.params, undefined)
  assert.notEqual(sampling.id, roots.id)
  assert.equal((await session.respond(roots.id, { roots: [] })).status, 202)
  assert.equal((await session.respond(sampling.id, TOLD)).status, 202)
  const answer = messageIn(await stream.waitFor('the answer', answerTo(1)))
  assert.deepEqual(answer.result, { a: TOLD, b: { roots: [] } })
  assert.deepEqual(
    server.events.filter(({ data }) => data !== ''),
    [],
  )
  assert.deepEqual(
    entrance.told.filter(({ kind }) => kind === 'result'),
    [],
  )
  await session.end()
})

test('over HTTP+SSE a question comes on the stream, and its answer is posted', async () => {
  const session = await openSseSession(`${entrance.url}/sse`)
  const answered = session.request('tools/call', ask({ form: FORM }))
  const { id, params } = await asked(session.stream, 'elicitation/create')
  // 2024-11-05 was agreed: what it does not know is left out.
  assert.deepEqual(params, { message: 'Who?', requestedSchema: SCHEMA })
  const result = { action: 'accept', content: { name: 'Ada' } }
  assert.equal((await session.post({ jsonrpc: '2.0', id, result })).status, 202)
  assert.deepEqual((await answered).result, { form: result })
  session.stream.abort()
})

test('the calls of a batch are asked on its stream, and answered in a batch', async () => {
  const session = await openSession(entrance.url, { protocolVersion: '2025-03-26' })
  const call = (id: number, requests: object) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: ask(requests),
  })
  const stream = await openStream(entrance.url, {
    method: 'POST',
    headers: session.headers,
    body: [call(1, { one: SAMPLE }), call(2, { two: ROOTS })],
  })
  const one = await asked(stream, 'sampling/createMessage')
  const two = await asked(stream, 'roots/list')
  const responses = [
    { jsonrpc: '2.0', id: two.id, result: { roots: [] } },
    { jsonrpc: '2.0', id: one.id, result: TOLD },
  ]
  assert.equal((await session.post(responses)).status, 202)
  await stream.closed
  const results = stream.events.map(messageIn).filter(({ result }) => result)
  assert.deepEqual(
    new Map(results.map(({ id, result }) => [id, result])),
    new Map<unknown, unknown>([
      [1, { one: TOLD }],
      [2, { two: { roots: [] } }],
    ]),
  )
  await session.end()
})

test('a mode is told to those who know modes, and a page has an id where they need one', async () => {
  for (const [protocolVersion, expected] of [
    ['2025-06-18', { message: 'Who?', requestedSchema: SCHEMA }],
    ['2025-11-25', FORM.params],
  ] as const) {
    const session = await openSession(entrance.url, { protocolVersion })
    const stream = await session.stream('tools/call', ask({ form: FORM }), 1)
    assert.deepEqual((await asked(stream, 'elicitation/create')).params, expected)
    await session.end()
  }
  const session = await openSession(entrance.url)
  const stream = await session.stream('tools/call', ask({ page: PAGE }), 1)
  const { params } = await asked(stream, 'elicitation/create')
  const { elicitationId, ...rest } = params as JsonObject
  assert.deepEqual(rest, PAGE.params)
  assert.equal(typeof elicitationId, 'string')
  await session.end()
})

test('a form that a client refuses is cancelled; anything else it refuses fails the call', async () => {
  const session = await openSession(entrance.url)
  const refuse = (id: unknown) =>
    session.post({ jsonrpc: '2.0', id, error: { code: -1, message: 'The user said no' } })
  const form = await session.stream('tools/call', ask({ form: FORM }), 1)
  await refuse((await asked(form, 'elicitation/create')).id)
  const cancelled = messageIn(await form.waitFor('the answer', answerTo(1)))
  assert.deepEqual(cancelled.result, { form: { action: 'cancel' } })

  const both = await session.stream('tools/call', ask({ sample: SAMPLE, roots: ROOTS }), 2)
  const open = await asked(both, 'roots/list')
  await refuse((await asked(both, 'sampling/createMessage')).id)
  const error = errorOf(messageIn(await both.waitFor('the answer', answerTo(2))))
  assert.equal(error.code, -32602)
  assert.match(error.message, /sampling\/createMessage and refused: The user said no/)
  // What the client said itself, for a tool that wants to know.
  assert.deepEqual(error.data, {
    method: 'sampling/createMessage',
    error: { code: -1, message: 'The user said no' },
  })
  // The other question is of no use any more.
  assert.deepEqual((await asked(both, 'notifications/cancelled')).params, { requestId: open.id })

  const odd = await session.stream('tools/call', ask({ roots: ROOTS }), 3)
  await session.respond((await asked(odd, 'roots/list')).id, 'none')
  const answer = messageIn(await odd.waitFor('the answer', answerTo(3)))
  assert.match(errorOf(answer).message, /refused: its answer is no result/)
  await session.end()
})

test("when a call ends, what it asks is called back, and a late answer is nobody's", async () => {
  const session = await openSession(entrance.url)
  const before = entrance.told.length
  const leaving = await session.stream('tools/call', { ...ask({ a: SAMPLE }), name: 'leave' }, 1)
  await leaving.closed
  const left = leaving.events.map(messageIn).filter(({ jsonrpc }) => jsonrpc)
  const id = left[0]?.id
  assert.deepEqual(left.slice(1), [
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } },
    { jsonrpc: '2.0', id: 1, result: { left: true } },
  ])
  await assert.rejects(asks.at(-1)?.outcome ?? Promise.resolve(), { code: 'cancelled' })
  assert.equal((await session.respond(id, TOLD)).status, 202)
  assert.equal(entrance.told.length, before)

  const failing = await session.stream('tools/call', ask({ a: SAMPLE }), 2)
  const second = await asked(failing, 'sampling/createMessage')
  entrance.fail(new ToolgateError('timeout', 'Too late.'))
  await failing.closed
  assert.deepEqual(
    failing.events
      .map(messageIn)
      .slice(-2)
      .map(({ params, error }) => params ?? Object(error).code),
    [{ requestId: second.id }, -32016],
  )

  const stopped = await session.stream('tools/call', ask({ a: SAMPLE }), 3)
  const third = await asked(stopped, 'sampling/createMessage')
  await session.notify('notifications/cancelled', { requestId: 3 })
  await stopped.closed
  assert.deepEqual(messageIn(stopped.events.at(-1) as SseEvent).params, { requestId: third.id })

  const ended = await session.stream('tools/call', ask({ a: SAMPLE }), 4)
  await asked(ended, 'sampling/createMessage')
  await session.end()
  await ended.closed
  await assert.rejects(asks.at(-1)?.outcome ?? Promise.resolve(), { code: 'cancelled' })
  // Nor can a call that has ended ask anything.
  await assert.rejects(asks.at(-1)?.call.ask?.({ a: SAMPLE }) ?? Promise.resolve(), {
    code: 'cancelled',
  })
})

test('only the session that was asked can answer, and only once', async () => {
  const session = await openSession(entrance.url)
  const other = await openSession(entrance.url)
  const stream = await session.stream('tools/call', ask({ a: SAMPLE }), 1)
  const { id } = await asked(stream, 'sampling/createMessage')
  assert.equal((await other.respond(id, { model: 'theirs' })).status, 202)
  assert.equal(entrance.told.at(-1)?.id, id)
  await session.respond(id, TOLD)
  await session.respond(id, { model: 'again' })
  const answer = messageIn(await stream.waitFor('the answer', answerTo(1)))
  assert.deepEqual(answer.result, { a: TOLD })
  await Promise.all([session.end(), other.end()])
})

test('a question survives a broken stream: it is read again from Last-Event-ID', async () => {
  const session = await openSession(entrance.url)
  const stream = await session.stream('tools/call', ask({ a: SAMPLE }), 1)
  const primed = await stream.waitFor('the first event', ({ id }) => id !== undefined)
  const first = await asked(stream, 'sampling/createMessage')
  stream.abort()
  await stream.closed
  const resumed = await session.listen(primed.id)
  const again = await asked(resumed, 'sampling/createMessage')
  assert.equal(again.id, first.id)
  await session.respond(again.id, TOLD)
  const answer = messageIn(await resumed.waitFor('the answer', answerTo(1)))
  assert.deepEqual(answer.result, { a: TOLD })
  await session.end()
})

test('256 questions may be open in a session, and not one more', async () => {
  const session = await openSession(entrance.url)
  const many = Object.fromEntries(Array.from({ length: 256 }, (_, index) => [index, ROOTS]))
  const stream = await session.stream('tools/call', ask(many), 1)
  const { id } = await asked(stream, 'roots/list')
  const refused = await session.request('tools/call', ask({ a: SAMPLE }), 2)
  assert.equal(errorOf(refused).code, -32014)
  assert.match(errorOf(refused).message, /256/)
  await session.respond(id, { roots: [] })
  const more = await session.stream('tools/call', ask({ a: SAMPLE }), 3)
  await asked(more, 'sampling/createMessage')
  await session.end()
})

test('a request without a session cannot ask', async () => {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'asked' } }
  const reply = await raw(entrance.url, { method: 'POST', headers: { accept: ACCEPT }, body })
  assert.deepEqual(reply.json().result, { canAsk: false })
})

for (const wire of ['Streamable HTTP', 'HTTP+SSE'] as const) {
  test(`a session over ${wire} keeps who its client is and the level it wants`, async (t) => {
    const streamable = wire === 'Streamable HTTP'
    const open = streamable ? openSession(entrance.url) : openSseSession(`${entrance.url}/sse`)
    const session = await open
    t.after(() => ('stream' in session && 'endpoint' in session ? session.stream.abort() : {}))
    const link = entrance.links.at(-1)
    assert.deepEqual(link?.clientInfo, { name: 'raw', version: '1' })
    assert.equal(link?.logLevel, undefined)
    await session.request('logging/setLevel', { level: 'warning' })
    assert.equal(link?.logLevel, 'warning')
    await session.request('logging/setLevel', { level: 'refused' })
    await session.request('logging/setLevel', { level: 'loud' })
    assert.equal(link?.logLevel, 'warning')
  })
}

test('what a client answers keeps every digit of its numbers', async () => {
  const session = await openSession(entrance.url)
  const stream = await session.stream('tools/call', ask({ form: FORM }), 1)
  const { id } = await asked(stream, 'elicitation/create')
  const body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"n":12345678901234567890}}`
  await session.post(body)
  const { data } = await stream.waitFor('the answer', answerTo(1))
  assert.match(data, /"form":\{"n":12345678901234567890\}/)
  await session.end()
})
