import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { launchGateway, startGateway } from '../harness/gateway.ts'
import { openStream, raw } from '../harness/raw.ts'
import { ACCEPT, errorOf, initialize, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'

const hash = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`
const KEYS = [
  { id: 'ada', hash: hash('ada-secret'), roles: ['admin'], scopes: ['math'] },
  { id: 'bob', hash: hash('bob-secret') },
]
const ADA = { authorization: 'Bearer ada-secret' }
const BOB = { 'x-api-key': 'bob-secret' }

const gateway = await startGateway(
  { after },
  {
    config: { keys: KEYS, limits: { calls: 100_000, per: '1s' } },
    tools: {
      open: { command: fixture('echo') },
      scoped: { command: fixture('echo'), access: { scopes: ['math'] } },
      limited: { command: fixture('echo'), limits: { calls: 6, per: '30s', burst: 0 } },
      limitedRest: { command: fixture('echo'), limits: { calls: 6, per: '30s', burst: 0 } },
    },
  },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const rest = (tool: string, headers: Record<string, string>) =>
  raw(`${gateway.url}/v1/tools/${tool}/echo`, { method: 'POST', body: { a: 1 }, headers })

test('without a key, or with a wrong one, every entrance answers 401', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': 'wrong' }]) {
    const replies = [
      await initialize(mcp('open'), { headers }),
      await raw(`${mcp('open')}/sse`, { headers }),
      await raw(`${gateway.url}/open/sse`, { headers }),
      await raw(`${mcp('open')}/messages?sessionId=x`, { method: 'POST', body: {}, headers }),
      await rest('open', headers),
      await raw(`${gateway.url}/v1/tools`, { headers }),
      await raw(`${gateway.url}/mcp/invoke`, {
        method: 'POST',
        body: { tool_name: 'open__echo', arguments: {} },
        headers,
      }),
    ]
    for (const [index, { status }] of replies.entries())
      assert.equal(status, 401, `entrance ${index}`)
  }
})

test('both forms of a key are taken', async () => {
  for (const headers of [ADA, BOB, { authorization: 'bearer ada-secret' }]) {
    const session = await openSession(mcp('open'), { headers })
    assert.equal(await session.callText('echo', { a: 1 }), '{"a":1}')
    await session.end()
  }
})

test('a key without the scope is 403 at every entrance, and sees no such tool', async () => {
  const session = await openSession(mcp('scoped'), { headers: ADA })
  await session.end()
  const refusals = [
    await initialize(mcp('scoped'), { headers: BOB }),
    await raw(`${mcp('scoped')}/sse`, { headers: BOB }),
    await rest('scoped', BOB),
    await raw(mcp('scoped'), {
      method: 'POST',
      headers: { accept: ACCEPT, ...BOB },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    }),
    await raw(`${gateway.url}/mcp/invoke`, {
      method: 'POST',
      body: { tool_name: 'scoped__echo', arguments: {} },
      headers: BOB,
    }),
  ]
  for (const [index, { status }] of refusals.entries())
    assert.equal(status, 403, `entrance ${index}`)
  const { text } = await raw(`${gateway.url}/v1/tools`, { headers: BOB })
  assert.doesNotMatch(text, /"scoped"/)
})

test('over the limit of a tool REST answers 429 with Retry-After, and other tools are untouched', async () => {
  await until('it to be known', async () => {
    return (await raw(`${gateway.url}/v1/tools/limitedRest`, { headers: ADA })).text.includes(
      '"where"',
    )
  })
  const statuses: number[] = []
  let last = await rest('limitedRest', ADA)
  for (let calls = 0; calls < 8 && last.status === 200; calls++) {
    statuses.push(last.status)
    last = await rest('limitedRest', ADA)
  }
  assert.equal(statuses.length, 6)
  assert.equal(last.status, 429)
  assert.ok(Number(last.headers['retry-after']) >= 1)
  assert.match(String(last.headers['content-type']), /^application\/problem\+json/)
  assert.equal((await rest('open', ADA)).status, 200)
})

test('over the limit MCP answers a JSON-RPC error, on HTTP+SSE too', async (t) => {
  const session = await openSession(mcp('limited'), { headers: ADA })
  const sse = await openSseSession(`${mcp('limited')}/sse`, ADA)
  t.after(() => sse.stream.abort())
  const params = { name: 'echo', arguments: {} }
  const answers = []
  for (let calls = 0; calls < 7; calls++) answers.push(await session.request('tools/call', params))
  const refused = answers.filter(({ error }) => error).map(errorOf)
  assert.ok(refused.length > 0)
  for (const { code } of refused) assert.equal(code, -32009)
  assert.equal(errorOf(await sse.request('tools/call', params)).code, -32009)
  await session.end()
})

test('keys never reach the log', () => {
  const text = JSON.stringify(gateway.logs) + gateway.stderr()
  assert.doesNotMatch(text, /ada-secret|bob-secret|Bearer wrong/)
})

test('a public address without keys is refused with what to do, unless told otherwise', async (t) => {
  const refused = launchGateway(t, { args: ['--host', '0.0.0.0'] })
  assert.notEqual(await refused.exit, 0)
  assert.match(refused.stderr() + JSON.stringify(refused.logs), /keys/)
  assert.match(refused.stderr() + JSON.stringify(refused.logs), /--unauthenticated/)
  const allowed = await startGateway(t, { args: ['--host', '0.0.0.0', '--unauthenticated'] })
  const { port } = new URL(allowed.url)
  assert.equal((await raw(`http://127.0.0.1:${port}/healthz`)).status, 200)
  const keyed = await startGateway(t, { args: ['--host', '0.0.0.0'], config: { keys: KEYS } })
  const url = `http://127.0.0.1:${new URL(keyed.url).port}/v1/tools`
  assert.equal((await raw(url)).status, 401)
  assert.equal((await raw(url, { headers: ADA })).status, 200)
})

test('a stream that is open when a session of another caller ends stays open', async () => {
  const ada = await openSession(mcp('open'), { headers: ADA })
  const bob = await openSession(mcp('open'), { headers: BOB })
  const stream = await openStream(mcp('open'), {
    headers: { ...ada.headers, accept: 'text/event-stream' },
  })
  await bob.end()
  assert.equal(await ada.callText('echo', { a: 1 }), '{"a":1}')
  stream.abort()
  await ada.end()
})
