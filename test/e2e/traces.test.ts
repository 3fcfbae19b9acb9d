import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startCollector } from '../harness/collector.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const HEADERS = { traceparent: `00-${TRACE}-${PARENT}-01` }

const collector = await startCollector({ after })
const tools = {
  own: { command: fixture('echo') },
  daemon: { command: fixture('echo'), mode: 'daemon' },
  noisy: { command: fixture('floods-stderr') },
}
const gateway = await startGateway(
  { after },
  { config: { telemetry: { endpoint: collector.url } }, tools },
)

test('one trace goes from the entrance to the spawn and the call, and on into the tool', async () => {
  const session = await openSession(`${gateway.url}/mcp/own`, { headers: HEADERS })
  const { meta, traceparent } = JSON.parse(await session.callText('where'))
  await session.end()
  assert.match(meta.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
  assert.match(traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
  for (const name of ['toolgate.request', 'toolgate.call', 'toolgate.spawn'])
    await collector.waitForSpan(name, TRACE)
  for (const step of ['create', 'start', 'ready'])
    await collector.waitForSpan(`toolgate.spawn.${step}`, TRACE)
  const spans = collector.spans.filter(({ traceId }) => traceId === TRACE)
  const ids = new Set(spans.map(({ spanId }) => spanId))
  for (const span of spans)
    assert.ok(
      ids.has(span.parentSpanId) || span.parentSpanId === PARENT,
      `${span.name} hangs in the air`,
    )
  const requests = spans.filter(({ name }) => name === 'toolgate.request')
  assert.ok(requests.every(({ parentSpanId }) => parentSpanId === PARENT))
  const calls = spans.filter(({ name }) => name === 'toolgate.call')
  assert.ok(
    calls.some(({ spanId }) => meta.traceparent.includes(spanId)),
    'the call is the parent in _meta',
  )
})

test('a shared process is told the trace of each call, and none in its environment', async () => {
  const session = await openSession(`${gateway.url}/mcp/daemon`, { headers: HEADERS })
  const { meta, traceparent } = JSON.parse(await session.callText('where'))
  assert.match(meta.traceparent, new RegExp(TRACE))
  assert.equal(traceparent, undefined)
  await session.end()
})

test('without a trace, or with a malformed one, a new one begins', async () => {
  for (const headers of [
    {},
    { traceparent: 'nonsense' },
    { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` },
  ]) {
    const session = await openSession(`${gateway.url}/mcp/own`, { headers })
    const { meta } = JSON.parse(await session.callText('where'))
    assert.match(meta.traceparent, /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/)
    assert.doesNotMatch(meta.traceparent, new RegExp(TRACE))
    await session.end()
  }
})

test('log lines of a call carry the request id, the trace id, the tool and the duration', async () => {
  const session = await openSession(`${gateway.url}/mcp/own`, { headers: HEADERS })
  await session.callText('echo')
  const line = await gateway.waitForLog('the call', (line) => {
    return line.tool === 'own' && line.method === 'tools/call' && line.traceId === TRACE
  })
  assert.ok(line.requestId)
  assert.equal(typeof line.duration, 'number')
  await session.end()
})

test("a tool's stderr is logged with the tool and the request it was serving", async () => {
  const session = await openSession(`${gateway.url}/mcp/noisy`, { headers: HEADERS })
  const params = { name: 'flood', arguments: { megabytes: 0.01 } }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  const { headers } = await session.post(body)
  const line = await gateway.waitForLog('the stderr', (line) => line.stream === 'stderr')
  assert.equal(line.tool, 'noisy')
  assert.ok(headers['x-request-id'])
  assert.equal(line.requestId, headers['x-request-id'])
  await session.end()
})

test('REST joins the trace too', async () => {
  const traceId = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
  const headers = { traceparent: `00-${traceId}-${PARENT}-01` }
  await until('REST', async () => {
    const url = `${gateway.url}/v1/tools/own/where`
    return (await raw(url, { method: 'POST', body: {}, headers })).status === 200
  })
  await collector.waitForSpan('toolgate.request', traceId)
  await collector.waitForSpan('toolgate.call', traceId)
})

test('a collector that is away or hangs slows nothing', async (t) => {
  const hanging = await startCollector(t, { hang: true })
  for (const endpoint of ['http://127.0.0.1:9', hanging.url]) {
    const slow = await startGateway(t, { config: { telemetry: { endpoint } }, tools })
    const session = await openSession(`${slow.url}/mcp/own`)
    const since = performance.now()
    for (let calls = 0; calls < 50; calls++) await session.callText('echo')
    assert.ok(performance.now() - since < 3000)
    await session.end()
    const stopping = performance.now()
    slow.signal('SIGTERM')
    assert.equal(await slow.exit, 0)
    assert.ok(performance.now() - stopping < 8000)
  }
})
