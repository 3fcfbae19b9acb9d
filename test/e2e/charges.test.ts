import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openStream } from '../harness/raw.ts'
import { errorOf, initialize, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { starts, toolReady } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const once = { calls: 1, per: '1h', burst: 0 }
const gateway = await startGateway(
  { after },
  {
    tools: {
      counts: { command: fixture('speaks-2025-03-26') },
      sessions: { command: fixture('counts-calls'), limits: once },
      streams: { command: fixture('counts-calls'), limits: once },
    },
  },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const SSE = { headers: { accept: 'text/event-stream' } }
const WITHOUT_ID = {
  jsonrpc: '2.0',
  method: 'tools/call',
  params: { name: 'count', arguments: {} },
}
const ONCE = 'called 1, initialized 1'

test('a call without an id is refused and never reaches the tool', async () => {
  const session = await openSession(mcp('counts'))
  const refused = await session.post(WITHOUT_ID)
  assert.equal(errorOf(refused.json()).code, -32600)
  assert.equal(await session.callText('count'), ONCE)
  await session.end()
})

test('a call without an id is refused on HTTP+SSE too', async (t) => {
  const sse = await openSseSession(`${mcp('counts')}/sse`)
  t.after(() => sse.stream.abort())
  const { text } = await sse.post(WITHOUT_ID)
  if (!text.includes('-32600'))
    await sse.stream.waitFor('the refusal', ({ data }) => data.includes('-32600'))
  const answer = await sse.request('tools/call', { name: 'count', arguments: {} })
  assert.match(JSON.stringify(answer), new RegExp(ONCE))
})

test('opening a session counts as a call, and starts nothing over the limit', async () => {
  await toolReady(gateway, 'sessions')
  assert.equal((await initialize(mcp('sessions'))).status, 200)
  const before = starts(gateway, 'sessions')
  const refused = await initialize(mcp('sessions'))
  assert.equal(errorOf(refused.json()).code, -32009)
  const stream = await openStream(`${mcp('sessions')}/sse`, SSE)
  stream.abort()
  assert.equal(stream.status, 429)
  assert.equal(starts(gateway, 'sessions'), before)
})

test('opening an event stream counts as a call, and starts nothing over the limit', async (t) => {
  await toolReady(gateway, 'streams')
  const learned = starts(gateway, 'streams')
  const first = await openStream(`${mcp('streams')}/sse`, SSE)
  t.after(() => first.abort())
  assert.equal(first.status, 200)
  await until('its process to start', () => starts(gateway, 'streams') > learned)
  const before = starts(gateway, 'streams')
  const refused = await openStream(`${mcp('streams')}/sse`, SSE)
  refused.abort()
  assert.equal(refused.status, 429)
  assert.equal(errorOf((await initialize(mcp('streams'))).json()).code, -32009)
  assert.equal(starts(gateway, 'streams'), before)
})
