import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openStream, type RawOptions, type Reply, raw } from '../harness/raw.ts'
import {
  ACCEPT,
  errorOf,
  initialize,
  messageIn,
  openSession,
  resultOf,
} from '../harness/session.ts'

const gateway = await startGateway(
  { after },
  {
    config: { sizes: { body: '64KB' } },
    tools: {
      echo: { command: fixture('echo'), timeout: '2s' },
      other: { command: fixture('crlf') },
    },
  },
)
const echo = `${gateway.url}/mcp/echo`
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
const post = (path: string, options: RawOptions = {}) =>
  raw(`${gateway.url}${path}`, {
    method: 'POST',
    body: LIST,
    ...options,
    headers: { accept: ACCEPT, ...options.headers },
  })
const refused = (reply: Reply, status: number, code?: number) => {
  assert.equal(reply.status, status, reply.text)
  if (code !== undefined) assert.equal(errorOf(reply.json()).code, code)
}

test('an unknown tool is 404', async () => {
  refused(await post('/mcp/nothing'), 404)
  refused(
    await raw(`${gateway.url}/mcp/nothing`, { headers: { accept: 'text/event-stream' } }),
    404,
  )
  refused(await raw(`${gateway.url}/mcp/nothing/sse`), 404)
})

test('a name with other characters, encoded dots or slashes is 400', async () => {
  for (const name of [
    'a.b',
    'a%2eb',
    '%2e%2e',
    'a%2fb',
    'a%5cb',
    'a%00b',
    'a%20b',
    'ü',
    'a~',
    'x'.repeat(65),
    '%zz',
  ])
    refused(await post(`/mcp/${encodeURI(name).replaceAll('%25', '%')}`), 400)
})

test('dots that are not encoded never reach another route', async () => {
  for (const path of ['/mcp/../mcp/echo', '/mcp/./echo', '/mcp//echo', '/mcp/echo/../other'])
    assert.ok([400, 404].includes((await post(path)).status), path)
})

test('a content type that is not JSON is 415', async () => {
  for (const type of [
    'text/plain',
    'application/json-patch+json',
    'application/x-www-form-urlencoded',
  ])
    refused(await post('/mcp/echo', { headers: { 'content-type': type } }), 415)
  const utf8 = { 'content-type': 'application/json; charset=utf-8' }
  assert.equal((await post('/mcp/echo', { headers: utf8 })).status, 200)
})

test('an Accept that leaves out what may be answered is 406', async () => {
  for (const accept of ['text/html', 'application/json', 'text/event-stream'])
    refused(await post('/mcp/echo', { headers: { accept } }), 406)
  const session = await openSession(echo)
  const headers = { ...session.headers, accept: 'application/json' }
  refused(await raw(echo, { headers }), 406)
  await session.end()
})

test('a body over the limit is 413, announced or not', async () => {
  const body = { ...LIST, params: { pad: 'x'.repeat(70_000) } }
  refused(await post('/mcp/echo', { body }), 413)
  const chunked = { 'transfer-encoding': 'chunked' }
  refused(await post('/mcp/echo', { body, headers: chunked }), 413)
})

test('what is no JSON is -32700, and what is no message -32600', async () => {
  refused(await post('/mcp/echo', { body: '{"jsonrpc":' }), 400, -32700)
  refused(await post('/mcp/echo', { body: Buffer.from('7b2261223a22ff227d', 'hex') }), 400)
  for (const body of ['7', '"x"', 'null', '{}', '{"jsonrpc":"1.0","id":1,"method":"ping"}', '[]'])
    refused(await post('/mcp/echo', { body }), 400, -32600)
  for (const id of [null, {}, [], true])
    refused(await post('/mcp/echo', { body: { ...LIST, id } }), 400)
})

test('keys that look like known ones are refused with -32600', async () => {
  const session = await openSession(echo)
  const call = '"method":"tools/call","params":{"name":"echo","arguments":{}}'
  for (const body of [
    `{"jsonrpc":"2.0","id":1,${call},"Method":"x"}`,
    `{"jsonrpc":"2.0","id":1,${call},"METHOD":"x"}`,
    `{"jsonrpc":"2.0","id":1,${call},"ID":2}`,
    `{"jsonrpc":"2.0","id":1,${call},"method\\u0000":"x"}`,
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Name":"fail"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","argument\u017f":{}}}',
  ]) {
    const reply = await session.post(body)
    assert.equal(errorOf(reply.json()).code, -32600, body)
  }
  await session.end()
})

test('a key that stands twice reaches the tool as the guard read it', async () => {
  const session = await openSession(echo)
  const body =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fail","name":"echo","arguments":{"a":1}}}'
  const reply = await session.post(body)
  const message = reply.json()
  if (message.error) assert.equal(errorOf(message).code, -32600)
  else assert.match(JSON.stringify(resultOf(message)), /a.*1/)
  await session.end()
})

test('a batch is for 2025-03-26 alone', async () => {
  const batch = [
    LIST,
    { ...LIST, id: 'two', method: 'ping' },
    { jsonrpc: '2.0', method: 'notifications/x' },
  ]
  const march = await openSession(echo, { protocolVersion: '2025-03-26' })
  if (resultOf(march.opened.json()).protocolVersion === '2025-03-26') {
    const reply = await march.post(batch)
    assert.equal(reply.status, 200)
    assert.deepEqual(new Set(answersOf(reply).map(({ id }) => id)), new Set([1, 'two']))
  }
  await march.end()
  for (const protocolVersion of ['2025-06-18', '2025-11-25']) {
    const session = await openSession(echo, { protocolVersion })
    refused(await session.post(batch), 400, -32600)
    await session.end()
  }
  refused(await post('/mcp/echo', { body: batch }), 400, -32600)
})

test('a protocol version that is not supported is 400, an absent one the session’s', async () => {
  const session = await openSession(echo)
  refused(await session.post(LIST, { 'mcp-protocol-version': '1999-01-01' }), 400)
  const { 'mcp-protocol-version': _, ...without } = session.headers
  const reply = await raw(echo, { method: 'POST', headers: without, body: LIST })
  assert.equal(reply.status, 200)
  await session.end()
})

test('a session id is asked for where it is needed', async () => {
  refused(await raw(echo, { headers: { accept: 'text/event-stream' } }), 405)
  assert.ok([400, 405].includes((await raw(echo, { method: 'DELETE' })).status))
  const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }
  refused(await post('/mcp/echo', { body: notification }), 400)
  refused(await post('/mcp/echo', { headers: { 'mcp-session-id': 'unknown' } }), 404)
  for (const method of ['PUT', 'PATCH']) refused(await raw(echo, { method }), 405)
})

test('a foreign Host or Origin is 403 on every route, before anything else', async () => {
  for (const path of [
    '/mcp/echo',
    '/mcp/echo/sse',
    '/v1/tools',
    '/openapi.json',
    '/healthz',
    '/nothing',
  ]) {
    refused(await raw(`${gateway.url}${path}`, { headers: { host: 'evil.example' } }), 403)
    refused(
      await raw(`${gateway.url}${path}`, { headers: { origin: 'https://evil.example' } }),
      403,
    )
    refused(await raw(`${gateway.url}${path}`, { headers: { origin: 'null' } }), 403)
  }
  refused(await post('/mcp/echo', { headers: { origin: 'http://127.0.0.1.evil.example' } }), 403)
  assert.equal((await post('/mcp/echo', { headers: { origin: gateway.url } })).status, 200)
  const host = `localhost:${new URL(gateway.url).port}`
  assert.equal((await post('/mcp/echo', { headers: { host } })).status, 200)
})

test('security headers are on every answer', async () => {
  const sse = await openStream(`${echo}/sse`, { headers: { accept: 'text/event-stream' } })
  sse.abort()
  const replies: Pick<Reply, 'status' | 'headers'>[] = [
    sse,
    await initialize(echo),
    await post('/mcp/nothing'),
    await post('/mcp/echo', { headers: { host: 'evil.example' } }),
    await post('/mcp/echo', { body: '{' }),
    await raw(`${gateway.url}/v1/tools`),
    await raw(`${gateway.url}/v1/tools/nothing/nothing`, { method: 'POST', body: {} }),
    await raw(`${gateway.url}/healthz`),
    await raw(`${gateway.url}/openapi.json`),
    await raw(`${gateway.url}/nothing`),
    await raw(`${gateway.url}/docs`),
  ]
  for (const { status, headers } of replies) {
    assert.match(String(headers['strict-transport-security']), /max-age=\d{6,}/, String(status))
    assert.ok(headers['content-security-policy'])
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.ok(
      headers['x-frame-options'] ??
        /frame-ancestors/.test(String(headers['content-security-policy'])),
    )
    assert.equal(headers['x-powered-by'], undefined)
  }
})

test('answers say which tool, runtime and timeout they are of', async () => {
  const { headers } = await post('/mcp/echo')
  assert.equal(headers['x-mcp-tool'], 'echo')
  assert.equal(headers['x-mcp-runtime'], 'command')
  assert.match(String(headers['x-mcp-timeout']), /^2/)
})

test('a stream has the headers that keep it from being buffered', async () => {
  const session = await openSession(echo)
  const stream = await session.listen()
  assert.match(String(stream.headers['content-type']), /^text\/event-stream/)
  assert.equal(stream.headers['x-accel-buffering'], 'no')
  assert.match(String(stream.headers['cache-control']), /no-(cache|store)/)
  stream.abort()
  await session.end()
})

test('a call without a session is answered, and leaves no process', async () => {
  const reply = await post('/mcp/echo', {
    body: { ...LIST, method: 'tools/call', params: { name: 'echo', arguments: { a: 1 } } },
  })
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['mcp-session-id'], undefined)
  assert.match(reply.text, /a.*1/)
})

test('ids keep their type and spelling', async () => {
  const session = await openSession(echo)
  for (const id of [0, '0', -1, '', 9007199254740991, 'ü', '1e3'])
    assert.equal((await session.request('ping', undefined, id)).id, id)
  await session.end()
})

function answersOf(reply: Reply): { id?: unknown }[] {
  if (reply.events.length > 0) return reply.events.filter(({ data }) => data).map(messageIn)
  const body: unknown = JSON.parse(reply.text)
  return Array.isArray(body) ? body : []
}
