import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, startGateway } from '../harness/gateway.ts'
import { modern, modernStream } from '../harness/modern.ts'
import type { RawStream } from '../harness/raw.ts'
import {
  errorOf,
  type Json,
  messageIn,
  openSession,
  resultOf,
  type Session,
} from '../harness/session.ts'
import { allLearned, starts, toolReady, toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const CHANGED = 'notifications/tools/list_changed'
const names = async (session: Session) =>
  (resultOf(await session.request('tools/list')).tools as Json[]).map(({ name }) => name)
const open = (gateway: Gateway) => openSession(`${gateway.url}/mcp`)
const changes = ({ events }: RawStream) =>
  events.filter(({ data }) => data.includes(CHANGED)).length

const gateway = await startGateway(
  { after },
  {
    tools: {
      quick: { command: fixture('grows-slowly', '300') },
      late: { command: fixture('grows-slowly', '3000') },
      daemon: { command: fixture('grows-slowly', '0'), mode: 'daemon' },
    },
  },
)
await allLearned(gateway)

test('whoever asks for a list that is just being asked for anew gets the new one', async () => {
  const session = await open(gateway)
  await session.callText('quick__grow')
  const lists = await Promise.all([names(session), names(session), names(session)])
  for (const list of lists) assert.ok(list.includes('quick__extra'))
  assert.equal(await session.callText('quick__lists'), '1')
  await session.end()
})

test('a list that comes too late to be waited for is told of when it has come', async () => {
  const session = await open(gateway)
  const stream = await session.listen()
  await session.callText('late__grow')
  assert.ok(!(await names(session)).includes('late__extra'))
  const before = changes(stream)
  await until('it to be told', () => changes(stream) > before)
  assert.ok((await names(session)).includes('late__extra'))
  stream.abort()
  await session.end()
})

test('a function that is new is called though nobody has listed it yet', async () => {
  const session = await open(gateway)
  await session.callText('quick__grow')
  assert.equal(await session.callText('quick__extra'), 'extra')
  await session.end()
})

test('a change of a daemon is told once, when it is known what has changed', async () => {
  const session = await open(gateway)
  const stream = await session.listen()
  assert.equal(await session.callText('daemon__grow'), 'grown')
  await stream.waitFor('the change', ({ data }) => data.includes(CHANGED))
  assert.ok((await names(session)).includes('daemon__extra'))
  assert.equal(changes(stream), 1)
  stream.abort()
  await session.end()
})

test('a session that ends while a call waits for its tool to be known leaves no process', async (t) => {
  const own = await startGateway(t)
  const session = await open(own)
  own.tools.write('slow', { command: fixture('slow-start', '1000'), era: 'legacy' })
  await until('it to be learned', () => own.processes().length > 0)
  const params = { name: 'slow__pid', arguments: {} }
  const called = session.stream('tools/call', params, 'call')
  const listed = session.stream('tools/list', {}, 'list')
  await until('the calls to have come', () => toolSeen(own, 'slow'))
  assert.equal((await session.end()).status, 204)
  for (const stream of await Promise.all([called, listed])) await stream.closed
  await toolReady(own, 'slow')
  await until('no process to be left', () => own.processes().length === 0)
  assert.equal(starts(own, 'slow'), 1)
  await until('none to be counted', async () => (await toolView(own, 'slow')).instances === 0)
})

/** It is read, and not known yet. */
async function toolSeen(own: Gateway, tool: string): Promise<boolean> {
  return (await toolView(own, tool)).state === 'learning'
}

for (const [what, change] of [
  ['edited', (own: Gateway) => own.tools.write('asks', { ...ASKS, description: 'Another.' })],
  ['taken away', (own: Gateway) => own.tools.remove('asks')],
] as const)
  test(`a call that waits for its client is given up when its tool is ${what}`, async (t) => {
    const own = await startGateway(t, { tools: { asks: ASKS } })
    await toolReady(own, 'asks')
    const options = { capabilities: { elicitation: {} } }
    const url = `${own.url}/mcp`
    const params = { name: 'asks__test_elicitation', arguments: { message: 'Who?' } }
    const asked = resultOf((await modern(url, 'tools/call', params, options)).json())
    const [key = ''] = Object.keys(Object(asked.inputRequests))
    change(own)
    await until('its process to end', () => own.processes().length === 0)
    const { requestState } = asked
    const inputResponses = { [key]: { action: 'accept', content: {} } }
    const again = { ...params, requestState, inputResponses }
    const refused = errorOf((await modern(url, 'tools/call', again, options)).json())
    assert.equal(refused.code, -32602)
    assert.match(refused.message, /Call again/)
  })

const ASKS = { command: fixture('everything', 'legacy') }

test('a listen keeps no process of a tool that tells of nothing, nor asks one again that refused', async (t) => {
  const own = await startGateway(t, {
    tools: {
      nothing: { command: fixture('echo') },
      refuses: { command: fixture('refuses-listens'), era: 'modern' },
      tells: { command: fixture('modern-echo'), era: 'modern' },
    },
  })
  await allLearned(own)
  const before = { nothing: starts(own, 'nothing'), refuses: starts(own, 'refuses') }
  const stream = await listen(t, own, ['x://nothing__a', 'x://refuses__a', 'test://tells__note'])
  const first = messageIn(await stream.waitFor('the acknowledgement', () => true))
  const { resourceSubscriptions } = Object(first.params).notifications
  assert.deepEqual(resourceSubscriptions, ['test://tells__note'])
  await until('the one that tells to be alone', () => own.processes().length === 1)
  const again = await listen(t, own, ['x://nothing__a', 'x://refuses__a'])
  await again.waitFor('the second acknowledgement', () => true)
  for (const tool of ['nothing', 'refuses'] as const)
    await until(`${tool} to be asked twice`, () => starts(own, tool) === before[tool] + 2)
  own.tools.write('nothing', { command: fixture('modern-echo'), era: 'modern' })
  await until('the new version to be listened to', () => own.processes().length === 3)
  assert.equal(starts(own, 'refuses'), before.refuses + 2)
  for (const each of [stream, again]) each.abort()
  await until('no process to be left', () => own.processes().length === 0)
})

async function listen(t: TestContext, own: Gateway, resourceSubscriptions: readonly string[]) {
  const filter = { notifications: { resourceSubscriptions } }
  const stream = await modernStream(`${own.url}/mcp`, 'subscriptions/listen', filter)
  t.after(() => stream.abort())
  return stream
}

test('listens and sessions of all tools are counted for each tool they use', async (t) => {
  const own = await startGateway(t, {
    config: { sessions: { perTool: 2 } },
    tools: {
      told: { command: fixture('modern-echo'), mode: 'daemon' },
      echo: { command: fixture('echo') },
    },
  })
  await allLearned({ ...own, processes: () => [] })
  const honoured = async () => {
    const stream = await listen(t, own, ['test://told__note'])
    const first = messageIn(await stream.waitFor('the acknowledgement', () => true))
    return { stream, told: 'resourceSubscriptions' in Object(first.params).notifications }
  }
  const [one, two] = [await honoured(), await honoured()]
  assert.deepEqual([one.told, two.told, (await honoured()).told], [true, true, false])
  const direct = () =>
    modernStream(`${own.url}/mcp/told`, 'subscriptions/listen', { notifications: {} })
  assert.equal((await direct()).status, 503)
  one.stream.abort()
  two.stream.abort()
  await until('a place to be free', async () => {
    const stream = await direct()
    stream.abort()
    return stream.status === 200
  })

  // A session that nobody uses makes room for one of the same caller, whichever door it came by.
  for (const [path, name] of [
    ['/mcp', 'echo__echo'],
    ['/mcp/echo', 'echo'],
    ['/mcp', 'echo__echo'],
  ] as const)
    for (let times = 0; times < 3; times += 1) {
      const session = await openSession(`${own.url}${path}`)
      assert.equal(await session.callText(name, { times }), `{"times":${times}}`)
    }
  assert.equal((await toolView(own, 'echo')).sessions, 2)
})
