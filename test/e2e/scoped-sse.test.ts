import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connect } from '../harness/clients.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, errorOf, initialize, openSession, resultOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  { tools: { echo: { command: fixture('echo') }, counts: { command: fixture('counts-calls') } } },
)

test('there is no /sse and no /messages without a tool', async () => {
  for (const path of ['/sse', '/messages', '/mcp/sse/x', '/messages/']) {
    assert.equal(
      (await raw(gateway.url + path, { headers: { accept: 'text/event-stream' } })).status,
      404,
      path,
    )
    assert.equal((await raw(gateway.url + path, { method: 'POST', body: {} })).status, 404, path)
  }
})

test('/{tool}/sse is the same door as /mcp/{tool}/sse', async (t) => {
  for (const path of ['/echo/sse', '/mcp/echo/sse'])
    for (const library of ['sdk', 'client'] as const) {
      const client = await connect(t, library, { sse: gateway.url + path })
      const { tools } = Object(await client.request('tools/list'))
      assert.deepEqual(names(tools), ['echo', 'error', 'fail', 'where'])
    }
  assert.equal((await raw(`${gateway.url}/nothing/sse`)).status, 404)
})

test("another tool's function is -32011, one that nobody has is the tool's to refuse", async (t) => {
  const sse = await openSseSession(`${gateway.url}/echo/sse`)
  t.after(() => sse.stream.abort())
  const session = await openSession(`${gateway.url}/mcp/echo`)
  await until('the other tool to be known', async () => {
    return (await raw(`${gateway.url}/v1/tools/counts`)).text.includes('"count"')
  })
  for (const [name, code] of [
    ['counts__count', -32011],
    ['count', -32011],
    ['nobody__has', -32602],
  ] as const) {
    const params = { name, arguments: {} }
    const request = { jsonrpc: '2.0', id: name, method: 'tools/call', params }
    const reply = await session.post(request)
    // 404 would tell the client that its session has ended.
    assert.equal(reply.status, 200, reply.text)
    assert.equal(errorOf(reply.json()).code, code)
    assert.equal(reply.json().id, name)
    assert.equal(errorOf(await sse.request('tools/call', params)).code, code)
  }
  await session.end()
})

test('a POST on the URL of the stream is Streamable HTTP', async () => {
  for (const path of ['/echo/sse', '/mcp/echo/sse']) {
    const opened = await initialize(gateway.url + path)
    assert.equal(opened.status, 200)
    assert.ok(opened.headers['mcp-session-id'])
    assert.ok(resultOf(opened.json()).serverInfo)
    const session = await openSession(gateway.url + path)
    assert.equal(await session.callText('echo', { a: 1 }), '{"a":1}')
    assert.equal((await session.end()).status < 300, true)
  }
})

test('the endpoint of one stream is no endpoint of another tool, and an unknown one is 404', async (t) => {
  const sse = await openSseSession(`${gateway.url}/echo/sse`)
  t.after(() => sse.stream.abort())
  const ping = { jsonrpc: '2.0', id: 9, method: 'ping' }
  const elsewhere = sse.endpoint.replace('/echo/', '/counts/')
  assert.notEqual(elsewhere, sse.endpoint)
  assert.equal((await raw(elsewhere, { method: 'POST', body: ping })).status, 404)
  const guess = sse.endpoint.replace(/.{4}$/, 'AAAA')
  assert.equal((await raw(guess, { method: 'POST', body: ping })).status, 404)
  assert.equal((await sse.request('ping')).error, undefined)
})

test('a message on HTTP+SSE is taken with 202 and answered on the stream alone', async (t) => {
  const sse = await openSseSession(`${gateway.url}/mcp/echo/sse`)
  t.after(() => sse.stream.abort())
  const body = { jsonrpc: '2.0', id: 'x', method: 'ping' }
  const reply = await raw(sse.endpoint, { method: 'POST', body, headers: { accept: ACCEPT } })
  assert.equal(reply.status, 202)
  assert.doesNotMatch(reply.text, /result/)
  await sse.stream.waitFor('the answer', ({ data }) => data.includes('"x"'))
})

function names(tools: { name: string }[]): string[] {
  return tools.map(({ name }) => name).sort()
}
