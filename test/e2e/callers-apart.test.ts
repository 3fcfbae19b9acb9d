import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { errorOf, initialize, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'

const key = (id: string, scopes: string[] = []) => {
  const hash = createHash('sha256').update(`${id}-secret`).digest('hex')
  return { id, hash: `sha256:${hash}`, scopes }
}
const ADA = { 'x-api-key': 'ada-secret' }
const BOB = { 'x-api-key': 'bob-secret' }
const gateway = await startGateway(
  { after },
  {
    config: { keys: [key('ada', ['hidden']), key('bob')], sessions: { perTool: 3 } },
    tools: {
      full: { command: fixture('counts-calls') },
      starting: { command: fixture('slow-start', '2000') },
      echo: { command: fixture('echo') },
      concealed: { command: fixture('counts-calls'), access: { scopes: ['hidden'] } },
    },
  },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' }

test("at a tool's cap a caller makes room among its own sessions, never among another's", async () => {
  await known('full', 'count')
  const adas = await openSession(mcp('full'), { headers: ADA })
  const bobs = []
  for (let opened = 0; opened < 4; opened++)
    bobs.push(await openSession(mcp('full'), { headers: BOB }))
  assert.equal((await adas.post(PING)).status, 200)
  assert.equal((await bobs[0]?.post(PING))?.status, 404)
  assert.equal((await bobs.at(-1)?.post(PING))?.status, 200)
  await Promise.all([adas, ...bobs].map((session) => session.end()))
})

test("at a tool's cap a caller with no session of its own is refused", async () => {
  const adas = []
  for (let opened = 0; opened < 3; opened++)
    adas.push(await openSession(mcp('full'), { headers: ADA }))
  const refused = await initialize(mcp('full'), { headers: BOB })
  assert.equal(refused.status, 503)
  assert.match(refused.text, /perTool/)
  for (const session of adas) assert.equal((await session.post(PING)).status, 200)
  await Promise.all(adas.map((session) => session.end()))
})

test("at a tool's cap a session that is starting is not ended", async () => {
  await known('starting', 'pid')
  const opening = Array.from({ length: 8 }, () => initialize(mcp('starting'), { headers: ADA }))
  const replies = await Promise.all(opening)
  const statuses = replies.map(({ status }) => status).sort()
  assert.deepEqual(statuses, [200, 200, 200, 503, 503, 503, 503, 503])
})

test('a function of a tool that the caller may not see is refused without naming it', async (t) => {
  await known('concealed', 'count')
  const session = await openSession(mcp('echo'), { headers: BOB })
  const sse = await openSseSession(`${mcp('echo')}/sse`, BOB)
  t.after(() => sse.stream.abort())
  for (const name of ['count', 'concealed__count']) {
    const params = { name, arguments: {} }
    for (const answer of [
      await session.request('tools/call', params),
      await sse.request('tools/call', params),
    ]) {
      const { message, data } = errorOf(answer)
      const told = `${message} ${JSON.stringify(data)}`.replaceAll(name, '')
      assert.doesNotMatch(told, /concealed/)
    }
  }
  await session.end()
})

test('a message on HTTP+SSE that is not called JSON is 415', async (t) => {
  const sse = await openSseSession(`${mcp('echo')}/sse`, ADA)
  t.after(() => sse.stream.abort())
  const headers = { ...ADA, 'content-type': 'text/plain' }
  const refused = await raw(sse.endpoint, { method: 'POST', headers, body: PING })
  assert.equal(refused.status, 415)
  assert.equal((await sse.request('ping')).error, undefined)
})

test('without a key /mcp/invoke answers a problem', async () => {
  const body = { tool_name: 'echo__echo', arguments: {} }
  for (const headers of [{}, { 'x-api-key': 'wrong' }]) {
    const refused = await raw(`${gateway.url}/mcp/invoke`, { method: 'POST', headers, body })
    assert.equal(refused.status, 401)
    assert.match(String(refused.headers['content-type']), /^application\/problem\+json/)
    assert.equal(refused.json().status, 401)
  }
})

async function known(tool: string, name: string): Promise<void> {
  await until(`${tool} to be known`, async () => {
    const { text } = await raw(`${gateway.url}/v1/tools/${tool}`, { headers: ADA })
    return text.includes(`"${name}"`)
  })
}
