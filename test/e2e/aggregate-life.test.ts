import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import {
  ACCEPT,
  errorOf,
  initialize,
  type Json,
  messageIn,
  openSession,
  resultOf,
  type Session,
} from '../harness/session.ts'
import { allLearned } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const start = (t: TestContext, options: GatewayOptions) => startGateway(t, options)
const open = (gateway: Gateway, options: Parameters<typeof openSession>[1] = {}) =>
  openSession(`${gateway.url}/mcp`, options)
const names = async (session: Session) =>
  (resultOf(await session.request('tools/list')).tools as { name: string }[]).map(
    ({ name }) => name,
  )
const says = (text: string, name = 'say') => `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Says one thing.',
  runtime: inline({
    ${name}: fn({
      description: 'Says it.',
      input: z.object({}),
      output: z.object({ said: z.string() }),
      run: async () => ({ said: ${JSON.stringify(text)} }),
    }),
  }),
})
`

test('a slow tool and a broken one hide no other, and the slow one is told of when it is known', async (t) => {
  const gateway = await start(t, {
    tools: {
      broken: { command: fixture('exits-at-start') },
      echo: { command: fixture('echo') },
      mistaken: 'export default 7',
      slow: { command: fixture('slow-start', '5000') },
    },
  })
  const session = await open(gateway)
  const stream = await session.listen()
  const known = async (tool: string) =>
    (await raw(`${gateway.url}/v1/tools/${tool}`)).json().state === 'ready'
  await until('the quick tool to be known', () => known('echo'))
  const since = performance.now()
  const first = await names(session)
  const took = performance.now() - since
  assert.ok(first.includes('echo__echo'))
  assert.ok(!first.includes('slow__pid'))
  assert.ok(took < 4000, `listed after ${took} ms`)
  const waiting = errorOf(await session.request('tools/call', { name: 'slow__pid', arguments: {} }))
  assert.equal(waiting.code, -32014)
  const changed = ({ data }: { data: string }) => data.includes('tools/list_changed')
  await stream.waitFor('the slow tool to be known', changed, 20_000)
  await until('it to be listed', async () => (await names(session)).includes('slow__pid'))
  const broken = errorOf(await session.request('tools/call', { name: 'broken__x', arguments: {} }))
  assert.equal(broken.code, -32012)
  await session.end()
})

test('a process that dies ends its own link only; the next call opens another', async (t) => {
  const gateway = await start(t, {
    tools: { dies: { command: fixture('dies-mid-call') }, echo: { command: fixture('echo') } },
  })
  const session = await open(gateway)
  const before = await pidOf(session, 'echo__where')
  const first = Number(await session.callText('dies__pid'))
  const died = errorOf(await session.request('tools/call', { name: 'dies__die', arguments: {} }))
  assert.equal(died.code, -32010)
  const second = Number(await session.callText('dies__pid'))
  assert.notEqual(second, first)
  assert.equal(await pidOf(session, 'echo__where'), before)
  assert.equal((await session.end()).status, 204)
  for (const pid of [before, second]) await until(`process ${pid} to end`, () => !isAlive(pid))
})

test('a tool that hangs is ended after its time, and no other', async (t) => {
  const gateway = await start(t, {
    tools: {
      hangs: { command: fixture('never-answers'), timeout: '1s' },
      echo: { command: fixture('echo') },
    },
  })
  const session = await open(gateway)
  const before = await pidOf(session, 'echo__where')
  const first = Number(await session.callText('hangs__pid'))
  const late = errorOf(await call(session, 'hangs__wait'))
  assert.equal(late.code, -32016)
  await until('the process to end', () => !isAlive(first))
  assert.notEqual(Number(await session.callText('hangs__pid')), first)
  assert.equal(await pidOf(session, 'echo__where'), before)
  await session.end()
})

test('a session starts only what it uses, and its processes are its own', async (t) => {
  const gateway = await start(t, {
    tools: { echo: { command: fixture('echo') }, counts: { command: fixture('counts-calls') } },
  })
  await allLearned(gateway)
  const [one, two] = [await open(gateway), await open(gateway)]
  await Promise.all([one.callText('echo__echo'), one.callText('echo__echo', { a: 1 })])
  assert.equal(gateway.processes().length, 1)
  const count = async (session: Session) =>
    JSON.parse(await session.callText('counts__count')).calls
  assert.equal(await count(one), 1)
  assert.equal(await count(one), 2)
  assert.equal(await count(two), 1)
  await one.end()
  assert.equal(await count(two), 2)
  await two.end()
  await until('no process to be left', () => gateway.processes().length === 0)
})

test('a tool that is edited, added or removed is so in a running session', async (t) => {
  const gateway = await start(t, { tools: { a: says('old'), echo: { command: fixture('echo') } } })
  const session = await open(gateway)
  const stream = await session.listen()
  const said = async () => resultOf(await call(session, 'a__say')).structuredContent
  assert.deepEqual(await said(), { said: 'old' })
  gateway.tools.write('a', says('new'))
  await until('the new version', async () => Object(await said()).said === 'new')
  const changes = () =>
    stream.events.filter(({ data }) => data.includes('tools/list_changed')).length
  const before = changes()
  gateway.tools.write('b', says('more', 'speak'))
  await until('it to be told', () => changes() > before)
  await until('it to be listed', async () => (await names(session)).includes('b__speak'))
  await call(session, 'b__speak')
  gateway.tools.remove('b')
  await until('it to be gone', async () => !(await names(session)).includes('b__speak'))
  const gone = errorOf(await session.request('tools/call', { name: 'b__speak', arguments: {} }))
  assert.equal(gone.code, -32602)
  await session.end()
})

test('what a caller may not see is in no list, no answer and no error', async (t) => {
  const hash = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`
  const gateway = await start(t, {
    config: {
      keys: [
        { id: 'ada', hash: hash('ada'), scopes: ['math'] },
        { id: 'bob', hash: hash('bob') },
      ],
    },
    tools: {
      open: { command: fixture('echo') },
      secret: { command: fixture('everything', 'dual'), access: { scopes: ['math'] } },
    },
  })
  const as = (name: string) => open(gateway, { headers: { authorization: `Bearer ${name}` } })
  const [ada, bob] = [await as('ada'), await as('bob')]
  await until('it to be known', async () => (await names(ada)).includes('secret__where'), 20_000)
  assert.match(await ada.callText('secret__where'), /pid/)
  const uri = 'test://secret__static-text'
  assert.ok('result' in (await ada.request('resources/read', { uri })))

  assert.ok(!JSON.stringify(resultOf(bob.opened.json())).includes('secret'))
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])
    assert.ok(!JSON.stringify(resultOf(await bob.request(method))).includes('secret'), method)
  const nowhere = JSON.stringify(await bob.request('tools/call', { name: 'nowhere__where' }, 1))
  const hidden = JSON.stringify(await bob.request('tools/call', { name: 'secret__where' }, 1))
  assert.equal(hidden.replaceAll('secret', 'nowhere'), nowhere)
  for (const [method, params] of [
    ['tools/call', { name: 'secret__wher' }],
    ['tools/call', { name: 'open__ech' }],
    ['prompts/get', { name: 'secret__test_simple_prompt' }],
    ['resources/read', { uri }],
    ['resources/subscribe', { uri }],
    ['tasks/get', { taskId: 'secret__1' }],
    ['completion/complete', { ref: { type: 'ref/resource', uri }, argument: {} }],
  ] as const) {
    const { code, message } = errorOf(await bob.request(method, params))
    assert.equal(code, -32602)
    assert.ok(!/meant? "secret/.test(message), message)
  }
  // A session is its owner's alone.
  const stolen = await raw(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { ...ada.headers, authorization: 'Bearer bob' },
    body: { jsonrpc: '2.0', id: 1, method: 'ping' },
  })
  assert.equal(stolen.status, 404)
  assert.equal((await initialize(`${gateway.url}/mcp`)).status, 401)
  await Promise.all([ada.end(), bob.end()])
})

test('the caps of sessions hold: all of them together, and each tool by its links', async (t) => {
  const gateway = await start(t, {
    config: { sessions: { max: 3, perTool: 1 } },
    tools: { echo: { command: fixture('echo') }, other: { command: fixture('counts-calls') } },
  })
  // Its stream is open, so that it never makes room for another.
  const busy = async () => {
    const session = await open(gateway)
    return { session, stream: await session.listen() }
  }
  const [one, two, three] = [await busy(), await busy(), await busy()]
  assert.equal((await initialize(`${gateway.url}/mcp`)).status, 503)
  await one.session.callText('echo__echo')
  const refused = await one.session.post({ jsonrpc: '2.0', id: 1, method: 'ping' })
  assert.equal(refused.status, 200)
  const full = await two.session.post(body('echo__echo'))
  assert.equal(full.status, 503)
  assert.match(full.text, /sessions\.perTool \(1\)/)
  assert.ok('result' in (await two.session.request('tools/call', { name: 'other__count' })))
  await one.session.end()
  await until('the place to be free', async () => {
    return (await two.session.post(body('echo__echo'))).status === 200
  })
  await Promise.all([two.session.end(), three.session.end()])
  for (const { stream } of [one, two, three]) stream.abort()
})

test('a link to a tool that is taken away ends with it, and the session goes on', async (t) => {
  const gateway = await start(t, {
    tools: { counts: { command: fixture('counts-calls') }, echo: { command: fixture('echo') } },
  })
  const session = await open(gateway)
  const pid = await pidOf(session, 'counts__count')
  gateway.tools.remove('counts')
  await until('its process to end', () => !isAlive(pid))
  assert.match(await session.callText('echo__where'), /pid/)
  await session.end()
})

test('a broken stream of a call is resumed, with all that was said meanwhile', async (t) => {
  const gateway = await start(t, {
    tools: { legacy: { command: fixture('everything', 'legacy') } },
  })
  const session = await open(gateway)
  const params = { name: 'legacy__test_tool_with_progress', _meta: { progressToken: 'p' } }
  const stream = await session.stream('tools/call', params, 'call')
  const first = await stream.waitFor('progress', ({ data }) => data.includes('progressToken'))
  stream.abort()
  const resumed = await session.listen(first.id)
  const answer = await resumed.waitFor('the answer', ({ data }) => data.includes('"id":"call"'))
  assert.ok(resultOf(messageIn(answer)))
  assert.equal(resumed.events.filter(({ data }) => data.includes('progressToken')).length, 2)
  await session.end()
})

test('a session that ends while its tools are starting leaves no process', async (t) => {
  const slow = { command: fixture('slow-start', '1000') }
  const gateway = await start(t, {
    tools: { one: slow, two: slow, echo: { command: fixture('echo') } },
  })
  await allLearned(gateway)
  const session = await open(gateway)
  const calls = ['one__pid', 'two__pid', 'one__pid', 'echo__echo'].map((name, index) =>
    session.stream('tools/call', { name, arguments: {} }, index),
  )
  await until('both to be starting', () => gateway.processes().length === 3)
  assert.equal((await session.end()).status, 204)
  for (const stream of await Promise.all(calls)) await stream.closed
  await until('no process to be left', () => gateway.processes().length === 0)
})

test('with the gateway end the sessions of all tools, and their processes', async (t) => {
  const gateway = await start(t, { tools: { echo: { command: fixture('echo') } } })
  const session = await open(gateway)
  const stream = await session.listen()
  await session.callText('echo__echo')
  const since = performance.now()
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  await stream.closed
  assert.ok(performance.now() - since < 5000)
  assert.equal(gateway.processes().length, 0)
})

test('changed roots are told to every tool that is used, whose question is answered', async (t) => {
  const gateway = await start(t, {
    tools: { later: { command: fixture('asks-later') }, echo: { command: fixture('echo') } },
  })
  const session = await open(gateway, { capabilities: { roots: { listChanged: true } } })
  await session.callText('echo__echo')
  const call = { name: 'later__ask', arguments: {}, _meta: { progressToken: 'waits' } }
  const stream = await session.stream('tools/call', call, 'call')
  const listening = await session.listen()
  // Before that it is not used yet, and would ask for nothing.
  await stream.waitFor('it to wait', ({ data }) => data.includes('"waits"'))
  await session.notify('notifications/roots/list_changed')
  const question = await stream.waitFor('the question', ({ data }) => data.includes('roots/list'))
  assert.equal((await session.respond(messageIn(question).id, { roots: [] })).status, 202)
  const answer = await stream.waitFor('the answer', ({ data }) => data.includes('"id":"call"'))
  assert.match(JSON.stringify(messageIn(answer)), /roots/)
  assert.ok(!listening.events.some(({ data }) => data.includes('roots/list')))
  await session.end()
})

test('a cancel that comes while the tool is still starting is a cancel', async (t) => {
  const gateway = await start(t, { tools: { slow: { command: fixture('slow-start', '1500') } } })
  await allLearned(gateway)
  const session = await open(gateway)
  const stream = session.stream('tools/call', { name: 'slow__pid', arguments: {} }, 'call')
  await until('the process', () => gateway.processes().length > 0)
  await session.notify('notifications/cancelled', { requestId: 'call' })
  const { events, closed } = await stream
  await closed
  assert.ok(!events.some(({ data }) => data.includes('"id":"call"')))
  assert.match(await session.callText('slow__pid'), /^\d+$/)
  await session.end()
})

test('a batch, and a request without a session, are answered as by any tool', async (t) => {
  const gateway = await start(t, { tools: { echo: { command: fixture('echo') } } })
  const batch = await open(gateway, { protocolVersion: '2025-03-26' })
  const reply = await batch.post([
    body('echo__echo', 1, { a: 1 }),
    { jsonrpc: '2.0', id: 2, method: 'tools/list' },
    { jsonrpc: '2.0', id: 3, method: 'ping' },
  ])
  const ids = reply.events.filter(({ data }) => data !== '').map((event) => messageIn(event).id)
  assert.deepEqual(new Set(ids), new Set([1, 2, 3]))
  await batch.end()

  const alone = (message: Json) =>
    raw(`${gateway.url}/mcp`, { method: 'POST', headers: { accept: ACCEPT }, body: message })
  const listed = await alone({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  assert.ok(listed.text.includes('echo__echo'))
  const called = await alone(body('echo__echo', 7, { n: 12345678901234567890n.toString() }))
  assert.match(called.text, /12345678901234567890/)
  assert.equal(called.headers['x-mcp-tool'], undefined)
  await until('no process to be left', () => gateway.processes().length === 0)
})

function body(name: string, id: string | number = 1, args: object = {}): Json {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } }
}

function call(session: Session, name: string): Promise<Json> {
  return session.request('tools/call', { name, arguments: {} })
}

async function pidOf(session: Session, name: string): Promise<number> {
  return JSON.parse(await session.callText(name)).pid
}
