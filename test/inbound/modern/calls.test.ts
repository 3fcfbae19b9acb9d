import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Link } from '../../../src/call/link.ts'
import type { Visit } from '../../../src/dispatch/parked.ts'
import { ToolgateError } from '../../../src/errors.ts'
import { META } from '../../../src/protocol/meta.ts'
import {
  errorMessage,
  notificationMessage,
  readToolLine,
  resultMessage,
} from '../../../src/protocol/read.ts'
import { modern, modernRequest, modernStream } from '../../harness/modern.ts'
import { openStream, raw } from '../../harness/raw.ts'
import { ACCEPT, errorOf, type Json, resultOf } from '../../harness/session.ts'
import { openModern } from './entrance.ts'

const DONE = { resultType: 'complete', content: [] }
const done = (_link: Link, { request }: Visit) => ({
  answer: resultMessage(request.id ?? 0, DONE),
})

test('a quick answer is JSON in one piece, with every header and no session', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('tools/call', done)
  const { status, headers, json } = await modern(entrance.url, 'tools/call', { name: 'x' })
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['x-mcp-tool'], 'fake')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['mcp-session-id'], undefined)
  assert.deepEqual(json(), { jsonrpc: '2.0', id: 1, result: DONE })
})

test('the link and the call are what the request says of itself', async (t) => {
  const entrance = await openModern(t)
  let seen: [Link, Visit] | undefined
  entrance.turns.set('tools/call', (link, visit) => {
    seen = [link, visit]
    return done(link, visit)
  })
  await modern(
    entrance.url,
    'tools/call',
    { name: 'x', arguments: { a: 1 } },
    {
      capabilities: { sampling: {} },
      meta: { [META.logLevel]: 'warning', progressToken: 'p' },
      id: 'seven',
    },
  )
  const [link, visit] = seen as [Link, Visit]
  assert.equal(link.era, 'modern')
  assert.equal(link.kind, 'request')
  assert.deepEqual(link.capabilities, { sampling: {} })
  assert.deepEqual(link.clientInfo, { name: 'test', version: '1.0.0' })
  assert.equal(link.logLevel, 'warning')
  assert.match(link.id, /^[0-9a-f]{6}\.[\w-]{32}$/)
  assert.equal(link.id, link.id)
  assert.equal(visit.trace.entrance, 'modern')
  const { params } = visit.request.json() as { params: Json }
  assert.deepEqual([params.name, params.arguments], ['x', { a: 1 }])
})

test('the first notification makes it a stream, which has no ids and ends with the answer', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('tools/call', (link, visit) => {
    visit.notify(notificationMessage('notifications/progress', { progress: 1 }))
    visit.notify(notificationMessage('notifications/progress', { progress: 2 }))
    return done(link, visit)
  })
  const reply = await modern(entrance.url, 'tools/call', { name: 'x' })
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['content-type'], 'text/event-stream')
  assert.equal(reply.headers['x-accel-buffering'], 'no')
  const said = reply.events.map(({ data }) => JSON.parse(data).method ?? 'answer')
  assert.deepEqual(said, ['notifications/progress', 'notifications/progress', 'answer'])
  assert.ok(reply.events.every(({ id, retry, data }) => !id && !retry && data !== ''))
})

const STATUSES = [
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
  [-32602, 200],
  [-32603, 200],
  [-32000, 200],
  [7, 200],
] as const

for (const [code, status] of STATUSES) {
  test(`an error ${code} of the tool has the status ${status}`, async (t) => {
    const entrance = await openModern(t)
    entrance.turns.set('tools/list', (_link, { request }) => ({
      answer: errorMessage(request.id ?? 0, code, 'No.', { why: 'x' }),
    }))
    const reply = await modern(entrance.url, 'tools/list')
    assert.equal(reply.status, status)
    assert.deepEqual(reply.json(), {
      jsonrpc: '2.0',
      id: 1,
      error: { code, message: 'No.', data: { why: 'x' } },
    })
  })
}

test('a resource that a legacy tool does not find is -32602', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('resources/read', (_link, { request }) => ({
    answer: errorMessage(request.id ?? 0, -32002, 'Not found', { uri: 'a:b' }),
  }))
  const reply = await modern(entrance.url, 'resources/read', { uri: 'a:b' })
  assert.equal(reply.status, 200)
  assert.deepEqual(errorOf(reply.json()), {
    code: -32602,
    message: 'Not found',
    data: { uri: 'a:b' },
  })
})

const REFUSALS = [
  ['unavailable', 503, -32014],
  ['shutting_down', 503, -32015],
  ['forbidden', 403, -32003],
  ['missing_capability', 400, -32021],
  ['timeout', 200, -32016],
  ['rate_limited', 200, -32009],
  ['invalid_params', 200, -32602],
  ['cancelled', 200, -32800],
] as const

for (const [code, status, rpc] of REFUSALS) {
  test(`what fails with ${code} is answered with ${status} under the request's id`, async (t) => {
    const entrance = await openModern(t)
    entrance.turns.set('tools/list', () => {
      throw new ToolgateError(code, 'No.', { retryAfter: 5 })
    })
    const reply = await modern(entrance.url, 'tools/list', {}, { id: 'a' })
    assert.equal(reply.status, status)
    assert.equal(reply.json().id, 'a')
    assert.equal(errorOf(reply.json()).code, rpc)
    assert.equal(reply.headers['retry-after'], status === 200 ? undefined : '5')
  })
}

test('what nobody foresaw is logged, and told as little as it should be', async (t) => {
  const entrance = await openModern(t)
  const cause = new Error('secret')
  entrance.turns.set('tools/list', () => {
    throw cause
  })
  const reply = await modern(entrance.url, 'tools/list')
  assert.equal(errorOf(reply.json()).code, -32603)
  assert.doesNotMatch(reply.text, /secret/)
  assert.deepEqual(entrance.errors, [{ requestId: 'r1', err: cause }])
})

test('a client that goes away has given its call up, and nothing more is said', async (t) => {
  const entrance = await openModern(t)
  const left = Promise.withResolvers<unknown>()
  entrance.turns.set('tools/call', async (link, visit) => {
    visit.notify(notificationMessage('notifications/progress', { progress: 1 }))
    await once(visit.signal, 'abort')
    visit.notify(notificationMessage('notifications/progress', { progress: 2 }))
    left.resolve(visit.signal.reason)
    return done(link, visit)
  })
  const stream = await modernStream(entrance.url, 'tools/call', { name: 'x' })
  await stream.waitFor('the first progress', () => true)
  stream.abort()
  assert.equal(((await left.promise) as ToolgateError).code, 'cancelled')
  assert.deepEqual(entrance.errors, [])
})

test('a client that has its answer may close the connection', async (t) => {
  const entrance = await openModern(t)
  let signal: AbortSignal | undefined
  entrance.turns.set('tools/call', (link, visit) => {
    signal = visit.signal
    return done(link, visit)
  })
  const stream = await modernStream(entrance.url, 'tools/call', { name: 'x' })
  await stream.closed
  // Its end is seen by the server before the next request is answered.
  await modern(entrance.url, 'tools/call', { name: 'x' })
  assert.equal(signal?.aborted, false)
})

test('a large answer and a large notification come whole', async (t) => {
  const entrance = await openModern(t)
  const text = 'x'.repeat(200_000)
  entrance.turns.set('tools/call', (_link, { request, notify }) => {
    void notify
    return { answer: resultMessage(request.id ?? 0, { ...DONE, text }) }
  })
  entrance.turns.set('prompts/get', (_link, visit) => {
    visit.notify(notificationMessage('notifications/message', { data: text }))
    return { answer: resultMessage(visit.request.id ?? 0, { ...DONE, text }) }
  })
  const plain = await modern(entrance.url, 'tools/call', { name: 'x' })
  assert.equal(resultOf(plain.json()).text, text)
  const streamed = await modern(entrance.url, 'prompts/get', { name: 'x' })
  assert.equal(streamed.events.length, 2)
  assert.equal(resultOf(streamed.json()).text, text)
})

test('a notification is taken and dropped, a response is refused', async (t) => {
  const entrance = await openModern(t)
  const post = (body: Json, more = {}) =>
    raw(entrance.url, {
      headers: { accept: ACCEPT, 'mcp-protocol-version': '2026-07-28', ...more },
      body,
    })
  const taken = await post({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId: 1 },
  })
  assert.equal(taken.status, 202)
  assert.equal(taken.text, '')
  assert.equal((await post({ jsonrpc: '2.0', id: 1, result: {} })).status, 400)
  assert.equal((await post({ jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } })).status, 400)
  assert.equal((await post({ jsonrpc: '2.0', method: 'server/discover' })).status, 400)
})

test('a request whose header alone is modern is told what it lacks', async (t) => {
  const entrance = await openModern(t)
  const headers = {
    accept: ACCEPT,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/list',
  }
  const reply = await raw(entrance.url, {
    headers,
    body: { jsonrpc: '2.0', id: 4, method: 'tools/list' },
  })
  assert.equal(reply.status, 400)
  assert.equal(errorOf(reply.json()).code, -32602)
  assert.equal(reply.json().id, 4)
})

test('a session and an event id of another era are not looked at', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('tools/list', (link, visit) => {
    assert.equal(link.tool.version, 'v2')
    return done(link, visit)
  })
  entrance.tool = { ...entrance.tool, version: 'v2', timeout: 5 }
  const headers = { 'mcp-session-id': 'gone', 'last-event-id': '1-1' }
  const reply = await modern(entrance.url, 'tools/list', {}, { headers })
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['mcp-session-id'], undefined)
  assert.equal(reply.headers['x-mcp-timeout'], '5ms')
})

test('GET and DELETE of a modern client are not allowed', async (t) => {
  const entrance = await openModern(t)
  for (const method of ['GET', 'DELETE']) {
    const headers = { accept: 'text/event-stream', 'mcp-protocol-version': '2026-07-28' }
    assert.equal((await raw(entrance.url, { method, headers })).status, 405)
  }
})

test('modern messages do not come in batches', async (t) => {
  const entrance = await openModern(t)
  const { headers, body } = modernRequest('tools/list')
  for (const batch of [
    [body],
    [body, body],
    [{ jsonrpc: '2.0', method: 'notifications/x' }, body],
  ]) {
    const reply = await raw(entrance.url, { headers, body: batch })
    assert.equal(reply.status, 400)
    const { code, message } = errorOf(reply.json())
    // Not that the version is unknown, which it is not.
    assert.deepEqual([code, /^One message/.test(message)], [-32600, true])
  }
})

test('Accept and Content-Type have to say what they must', async (t) => {
  const entrance = await openModern(t)
  const accept = await modern(
    entrance.url,
    'tools/list',
    {},
    { headers: { accept: 'application/json' } },
  )
  assert.equal(accept.status, 406)
  const type = await modern(
    entrance.url,
    'tools/list',
    {},
    { headers: { 'content-type': 'text/plain' } },
  )
  assert.equal(type.status, 415)
})

test('arguments are compared with their headers before anything runs', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('tools/call', done)
  const inputSchema = {
    type: 'object',
    properties: { to: { type: 'string', 'x-mcp-header': 'To' } },
  }
  const learned = {
    era: 'modern',
    dual: false,
    initialize: {},
    functions: [{ name: 'send', inputSchema }],
    prompts: [],
    resources: [],
    templates: [],
  } as const
  entrance.learned = { state: 'learned', learned }
  const call = { name: 'send', arguments: { to: 'ada' } }
  const right = await modern(entrance.url, 'tools/call', call, {
    headers: { 'mcp-param-to': 'ada' },
  })
  assert.equal(right.status, 200)
  for (const headers of [{}, { 'mcp-param-to': 'bob' }]) {
    const wrong = await modern(entrance.url, 'tools/call', call, { headers })
    assert.equal(wrong.status, 400)
    assert.equal(errorOf(wrong.json()).code, -32020)
    assert.equal(wrong.json().id, 1)
  }
})

test('what the tool wrote reaches the client as it was written', async (t) => {
  const entrance = await openModern(t)
  const line = '{"jsonrpc":"2.0","id":1,"result":{"n":1e400,"big":12345678901234567890,"z":1.0}}'
  entrance.turns.set('tools/call', () => ({ answer: readToolLine(Buffer.from(line)) as never }))
  const { text } = await modern(entrance.url, 'tools/call', { name: 'x' })
  assert.equal(text, line)
})

test('a stream that nobody reads holds its link up', async (t) => {
  const entrance = await openModern(t)
  const pressed = Promise.withResolvers<boolean>()
  const chunk = notificationMessage('notifications/message', { data: 'x'.repeat(900_000) })
  entrance.turns.set('tools/call', async (link, visit) => {
    for (let sent = 0; sent < 40 && link.pressure() === undefined; sent += 1) {
      visit.notify(chunk)
      await new Promise(setImmediate)
    }
    pressed.resolve(link.pressure() !== undefined)
    await link.pressure()
    return done(link, visit)
  })
  const { headers, body } = modernRequest('tools/call', { name: 'x' })
  const stream = await openStream(entrance.url, { headers, body })
  stream.pause()
  assert.ok(await pressed.promise)
  stream.resume()
  await stream.closed
  assert.equal(JSON.parse(stream.events.at(-1)?.data ?? '').id, 1)
})
