import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, errorOf, type Json, openSession, textOf } from '../harness/session.ts'
import { toolReady } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const warm = { spares: 1, initialized: true }
const gateway = await startGateway(
  { after },
  {
    config: { limits: { calls: 10_000, per: '1s' } },
    tools: {
      ears: { command: fixture('hears-hello'), warm },
      slow: { command: fixture('hears-hello', '1000'), warm },
      behind: { command: fixture('hears-hello'), warm },
      two: { command: fixture('hears-hello'), warm: { ...warm, spares: 2 } },
      refuses: { command: fixture('hears-hello'), warm },
    },
  },
)
const tools = ['ears', 'slow', 'behind', 'two', 'refuses']
await Promise.all(tools.map((name) => toolReady(gateway, name)))

/** What a process heard at first: the initialize without its `_meta`, then that it is done. */
interface Heard {
  readonly pid: number
  readonly id: unknown
  readonly params: Json
}

function heardIn(answer: Json): Heard {
  const { pid, heard } = JSON.parse(textOf(answer))
  const [{ id, params }, ...rest] = heard
  assert.deepEqual(rest, ['initialized'])
  const { _meta, ...others } = params
  return { pid, id, params: others }
}

const OURS = 'toolgate:initialize'

async function spares(tool: string): Promise<unknown[]> {
  const { running } = (await raw(`${gateway.url}/v1/tools/${tool}`)).json()
  return (running as Json[]).filter(({ spare }) => spare === true).map(({ id }) => id)
}

/** Its spares, once there are so many of which none is one of these. */
const haveSpares = (tool: string, count = 1, none: readonly unknown[] = []) =>
  until(`${count} spares of ${tool}`, async () => {
    const ids = await spares(tool)
    return ids.length === count && !ids.some((id) => none.includes(id)) ? ids : undefined
  })

const pidOf = (id: unknown) =>
  gateway.logs.find((line) => line.msg === 'instance started' && line.instance === id)?.pid

function paramsOf(name: string, more: Json = {}): Json {
  const clientInfo = { name, version: '1' }
  return { protocolVersion: '2025-11-25', capabilities: {}, clientInfo, ...more }
}

/** `initialize` of a client that names itself so, which is the request's id too. */
const begin = (tool: string, name: string, more: Json = {}) =>
  raw(`${gateway.url}/mcp/${tool}`, {
    method: 'POST',
    headers: { accept: ACCEPT },
    body: { jsonrpc: '2.0', id: name, method: 'initialize', params: paramsOf(name, more) },
  })

/** A whole session of that client, and what its process heard. */
async function visit(tool: string, name: string, more: Json = {}) {
  const opened = await begin(tool, name, more)
  const url = `${gateway.url}/mcp/${tool}`
  const headers = { accept: ACCEPT, 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  const post = (message: Json) =>
    raw(url, { method: 'POST', headers, body: { jsonrpc: '2.0', ...message } })
  await post({ method: 'notifications/initialized' })
  const call = { name: 'heard', arguments: {} }
  const answer = await post({ id: 2, method: 'tools/call', params: call })
  await raw(url, { method: 'DELETE', headers })
  const { pid, id, params: heard } = heardIn(answer.json())
  return { opened, params: paramsOf(name, more), pid, id, heard }
}

test('who says what the last one said is answered by a spare that has been told it', async () => {
  const [plain] = await haveSpares('ears')
  const first = await visit('ears', 'ann')
  assert.equal(first.pid, pidOf(plain))
  assert.equal(first.id, 'ann')
  assert.deepEqual(first.heard, first.params)
  const [told] = await haveSpares('ears', 1, [plain])
  const second = await visit('ears', 'ann', { _meta: { 'example.org/of': 'this request' } })
  assert.equal(second.pid, pidOf(told))
  assert.equal(second.id, OURS)
  assert.deepEqual(second.heard, first.params)
  assert.deepEqual(second.opened.json(), first.opened.json())
})

test('who says something else is given a process that has been told nothing', async () => {
  const [toldAnn] = await haveSpares('ears')
  const bob = await visit('ears', 'bob')
  assert.notEqual(bob.pid, pidOf(toldAnn))
  assert.equal(bob.id, 'bob')
  assert.deepEqual(bob.heard, bob.params)
  const end = await gateway.waitForLog('its end', ({ msg, instance }) => {
    return msg === 'instance ended' && instance === toldAnn
  })
  assert.equal(end.reason, 'it was initialized for another client')
  const [toldBob] = await haveSpares('ears', 1, [toldAnn])
  assert.equal((await visit('ears', 'bob')).pid, pidOf(toldBob))
  const older = await visit('ears', 'bob', { protocolVersion: '2025-06-18' })
  assert.equal(older.heard.protocolVersion, '2025-06-18')
})

test('several spares are for several clients', async () => {
  for (const name of ['ann', 'bob', 'ann', 'bob']) {
    await haveSpares('two', 2)
    await visit('two', name)
  }
  for (const name of ['bob', 'ann']) {
    const ids = await haveSpares('two', 2)
    const { pid, id } = await visit('two', name)
    assert.ok(ids.map(pidOf).includes(pid), `${name} was served by none of them`)
    assert.equal(id, OURS)
  }
})

test('a session that comes before the answer waits for it', async () => {
  const [plain] = await haveSpares('slow')
  await visit('slow', 'ann')
  const [told] = await haveSpares('slow', 1, [plain])
  const { pid, opened } = await visit('slow', 'ann')
  assert.equal(pid, pidOf(told))
  assert.equal(opened.json().id, 'ann')
})

test('what a tool refuses is refused in its words, under the client’s id', async () => {
  const seen: unknown[] = []
  for (const round of ['cold', 'warm']) {
    seen.push(...(await haveSpares('refuses', 1, seen)))
    const { json } = await begin('refuses', 'nobody')
    assert.equal(json().id, 'nobody', round)
    assert.deepEqual(errorOf(json()), { code: -32001, message: 'not you', data: undefined })
  }
})

test('a session of all tools is served by one too, and a call over REST by one of its own', async () => {
  const seen = await haveSpares('behind')
  for (const id of [/^toolgate:[0-9a-f-]{36}:/, /^toolgate:initialize$/]) {
    const session = await openSession(`${gateway.url}/mcp`)
    const answer = await session.request('tools/call', { name: 'behind__heard', arguments: {} })
    assert.match(String(heardIn(answer).id), id)
    await session.end()
    seen.push(...(await haveSpares('behind', 1, seen)))
  }
  const rest = await raw(`${gateway.url}/v1/tools/behind/heard`, { method: 'POST', body: {} })
  const { params } = heardIn({ result: rest.json() })
  assert.equal((params.clientInfo as Json).name, 'toolgate')
})
