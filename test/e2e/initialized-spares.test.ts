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
      digits: { command: fixture('hears-hello'), warm },
      early: { command: fixture('speaks-first'), warm },
    },
  },
)
const tools = ['ears', 'slow', 'behind', 'two', 'refuses', 'digits', 'early']
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

test('who says what was said twice is answered by a spare that has been told it', async () => {
  const seen: unknown[] = []
  for (const _visit of [1, 2]) {
    const [plain] = await haveSpares('ears', 1, seen)
    seen.push(plain)
    const { pid, id, heard, params } = await visit('ears', 'ann')
    assert.equal(pid, pidOf(plain))
    assert.equal(id, 'ann')
    assert.deepEqual(heard, params)
  }
  const [told] = await haveSpares('ears', 1, seen)
  const served = await visit('ears', 'ann', { _meta: { 'example.org/of': 'this request' } })
  assert.equal(served.pid, pidOf(told))
  assert.equal(served.id, OURS)
  assert.deepEqual(served.heard, paramsOf('ann'))
  const { id, result } = served.opened.json()
  assert.equal(id, 'ann')
  assert.equal((result as Json).protocolVersion, '2025-11-25')
  await gateway.waitForLog('it to be handed out', ({ msg, instance, initialized }) => {
    return msg === 'spare handed out' && instance === told && initialized === true
  })
})

test('who says something else is given a process that has been told nothing', async () => {
  const [toldAnn] = await haveSpares('ears')
  const stranger = await visit('ears', 'bob')
  assert.notEqual(stranger.pid, pidOf(toldAnn))
  assert.equal(stranger.id, 'bob')
  assert.deepEqual(stranger.heard, stranger.params)
  assert.deepEqual(await spares('ears'), [toldAnn], 'one visit of a stranger takes nothing away')
  assert.notEqual((await visit('ears', 'bob')).pid, pidOf(toldAnn))
  const end = await gateway.waitForLog('its end', ({ msg, instance }) => {
    return msg === 'instance ended' && instance === toldAnn
  })
  assert.equal(end.reason, 'it was initialized for another client')
  const [toldBob] = await haveSpares('ears', 1, [toldAnn])
  const { pid, heard } = await visit('ears', 'bob')
  assert.equal(pid, pidOf(toldBob))
  assert.deepEqual(heard, paramsOf('bob'))
})

for (const [what, more] of [
  ['another version', { protocolVersion: '2025-06-18' }],
  ['other capabilities', { capabilities: { roots: {} } }],
  ['another parameter', { 'example.org/more': 1 }],
] as const)
  test(`the same client with ${what} says something else`, async () => {
    await visit('ears', 'bob')
    await visit('ears', 'bob')
    const [told] = await haveSpares('ears')
    const { pid, id, heard, params } = await visit('ears', 'bob', more)
    assert.notEqual(pid, pidOf(told))
    assert.equal(id, 'bob')
    assert.deepEqual(heard, params)
  })

test('numbers are the same where they are written alike', async () => {
  const say = async (number: string) => {
    const text = JSON.stringify(paramsOf('digits', { number: 0 })).replace(
      '"number":0',
      `"number":${number}`,
    )
    const body = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${text}}`
    const { headers } = await raw(`${gateway.url}/mcp/digits`, {
      method: 'POST',
      headers: { accept: ACCEPT, 'content-type': 'application/json' },
      body,
    })
    const session = { 'mcp-session-id': String(headers['mcp-session-id']) }
    await raw(`${gateway.url}/mcp/digits`, { method: 'DELETE', headers: session })
  }
  const seen = await haveSpares('digits')
  for (const number of ['9007199254740993', '9007199254740993', '9007199254740992']) {
    await say(number)
    if (number.endsWith('3')) seen.push(...(await haveSpares('digits', 1, seen)))
  }
  assert.deepEqual(await spares('digits'), [seen.at(-1)])
})

test('several spares are for several clients', async () => {
  for (const name of ['ann', 'bob', 'ann', 'bob', 'ann', 'bob']) {
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

test('one that has not answered yet is handed out to nobody', async () => {
  const seen = await haveSpares('slow')
  await visit('slow', 'ann')
  seen.push(...(await haveSpares('slow', 1, seen)))
  await visit('slow', 'ann')
  const early = await visit('slow', 'ann')
  assert.equal(early.id, 'ann')
  const [told] = await haveSpares('slow', 1, seen)
  const { pid, id } = await visit('slow', 'ann')
  assert.equal(pid, pidOf(told))
  assert.equal(id, OURS)
})

test('what a tool refuses is refused to each anew, in its words', async () => {
  const seen: unknown[] = []
  for (const _visit of [1, 2, 3]) {
    seen.push(...(await haveSpares('refuses', 1, seen)))
    const { json } = await begin('refuses', 'nobody')
    assert.equal(json().id, 'nobody')
    assert.deepEqual(errorOf(json()), { code: -32001, message: 'not you', data: undefined })
  }
  await gateway.waitForLog('a spare that was refused', ({ msg, tool, spare, error }) => {
    const refused = /refused to initialize: not you/.test(String(error))
    return (
      msg === 'instance could not be started' && tool === 'refuses' && spare === true && refused
    )
  })
  assert.equal((await visit('refuses', 'ann')).id, 'ann')
})

test('what a spare says before its session is said to that, however much it is', async () => {
  const seen = await haveSpares('early')
  for (const last of [false, false, true]) {
    const session = await openSession(`${gateway.url}/mcp/early`)
    assert.equal(await session.callText('where'), String(pidOf(seen.at(-1))))
    await session.end()
    if (!last) seen.push(...(await haveSpares('early', 1, seen)))
  }
})

test('a session of all tools is served by one too, and a call over REST by one of its own', async () => {
  const seen = await haveSpares('behind')
  const ours = /^toolgate:[0-9a-f-]{36}:/
  for (const id of [ours, ours, /^toolgate:initialize$/]) {
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
