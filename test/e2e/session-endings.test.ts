import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { openStream, raw } from '../harness/raw.ts'
import { errorOf, initialize, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'

const key = (id: string, secret: string) => ({
  id,
  hash: `sha256:${createHash('sha256').update(secret).digest('hex')}`,
})
const ADA = { authorization: 'Bearer ada-secret' }
const BOB = { authorization: 'Bearer bob-secret' }

const gateway = await startGateway(
  { after },
  {
    config: {
      keys: [key('ada', 'ada-secret'), key('bob', 'bob-secret')],
      sessions: { resume: '500ms', idle: '2s', max: 6, perTool: 3 },
    },
    tools: {
      counts: { command: fixture('counts-calls') },
      other: { command: fixture('counts-calls') },
      dies: { command: fixture('dies-mid-call') },
      stays: { command: fixture('counts-calls') },
    },
  },
)
const url = (tool: string) => `${gateway.url}/mcp/${tool}`
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }

test('DELETE ends a session and its process at once, and it is 404 afterwards', async () => {
  const session = await openSession(url('counts'), { headers: ADA })
  const { pid } = JSON.parse(await session.callText('count'))
  assert.ok(isAlive(pid))
  const ended = await session.end()
  assert.ok(ended.status === 200 || ended.status === 204, String(ended.status))
  await until('the process to be gone', () => !isAlive(pid), 6000)
  for (const reply of [await session.post(ping), await session.end(), await session.listen()])
    assert.equal(reply.status, 404)
})

test('a session whose last stream broke ends after sessions.resume', async () => {
  const session = await openSession(url('counts'), { headers: ADA })
  const { pid } = JSON.parse(await session.callText('count'))
  const stream = await session.listen()
  stream.abort()
  const since = performance.now()
  await until('the process to be gone', () => !isAlive(pid), 6000)
  assert.ok(performance.now() - since > 400, 'not before sessions.resume')
  assert.equal((await session.post(ping)).status, 404)
})

test('a session with no stream open ends after sessions.idle, and use keeps it', async () => {
  const session = await openSession(url('counts'), { headers: ADA })
  for (let use = 0; use < 6; use++) {
    assert.equal((await session.post(ping)).status, 200)
    await new Promise((later) => setTimeout(later, 500))
  }
  const last = performance.now()
  assert.equal((await session.post(ping)).status, 200)
  const { pid } = JSON.parse(await session.callText('count'))
  await until('the process to be gone', () => !isAlive(pid), 8000)
  assert.ok(performance.now() - last > 1900, 'not before sessions.idle')
  assert.equal((await session.post(ping)).status, 404)
})

test('an open stream keeps a session', async () => {
  const session = await openSession(url('counts'), { headers: ADA })
  const stream = await session.listen()
  await new Promise((later) => setTimeout(later, 3000))
  assert.equal((await session.post(ping)).status, 200)
  stream.abort()
  await session.end()
})

test('a tool that exits ends its session: the call is told, then it is 404', async () => {
  const session = await openSession(url('dies'), { headers: ADA })
  const stream = await session.listen()
  const error = errorOf(await session.request('tools/call', { name: 'die', arguments: {} }))
  assert.match(error.message, /7/)
  await stream.closed
  assert.equal((await session.post(ping)).status, 404)
})

test("a foreign caller, another tool and a guess find no session, and the owner's goes on", async () => {
  const session = await openSession(url('counts'), { headers: ADA })
  const asBob = { ...session.headers, ...BOB }
  assert.equal((await session.post(ping, BOB)).status, 404)
  assert.equal((await raw(session.url, { method: 'DELETE', headers: asBob })).status, 404)
  const listening = await openStream(session.url, { headers: asBob })
  assert.equal(listening.status, 404)
  const elsewhere = await raw(url('other'), {
    method: 'POST',
    body: ping,
    headers: session.headers,
  })
  assert.equal(elsewhere.status, 404)
  const guess = {
    'mcp-session-id': `${session.id.slice(0, -1)}${session.id.endsWith('A') ? 'B' : 'A'}`,
  }
  assert.equal((await session.post(ping, guess)).status, 404)
  assert.equal((await session.post(ping)).status, 200)
  await session.end()
})

test('session ids are long and of one form', async () => {
  const sessions = [1, 2].map(() => openSession(url('counts'), { headers: ADA }))
  for (const session of await Promise.all(sessions)) {
    assert.match(session.id, /^[\x21-\x7e]{24,}$/)
    assert.match(session.id, /^[^.]+\.[^.]{22,}$/)
    await session.end()
  }
})

test('on HTTP+SSE the end of the stream ends the session and its process', async () => {
  const sse = await openSseSession(`${url('stays')}/sse`, ADA)
  const answer = await sse.request('tools/call', { name: 'count', arguments: {} })
  const { pid } = JSON.parse(String(Object(answer.result).content[0].text))
  const foreign = await raw(sse.endpoint, { method: 'POST', body: ping, headers: BOB })
  assert.equal(foreign.status, 404)
  sse.stream.abort()
  await until('the process to be gone', () => !isAlive(pid), 6000)
  assert.equal((await raw(sse.endpoint, { method: 'POST', body: ping, headers: ADA })).status, 404)
})

test('over the cap of a tool the longest unused session makes room, one in use does not', async () => {
  const used = await Promise.all([1, 2, 3].map(() => openSession(url('stays'), { headers: ADA })))
  const streams = await Promise.all(used.map((session) => session.listen()))
  const refused = await initialize(url('stays'), { headers: ADA })
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers['retry-after']) > 0)
  assert.match(refused.text, /perTool/)
  const other = await openSession(url('other'), { headers: ADA })
  assert.equal((await other.post(ping)).status, 200)
  await used[0]?.end()
  const fourth = await openSession(url('stays'), { headers: ADA })
  const fifth = await openSession(url('stays'), { headers: ADA })
  assert.equal((await fifth.post(ping)).status, 200)
  assert.equal((await fourth.post(ping)).status, 404)
  for (const stream of streams) stream.abort()
  await Promise.all([...used.slice(1), fifth, other].map((session) => session.end()))
})
