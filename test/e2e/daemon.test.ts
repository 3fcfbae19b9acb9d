import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import {
  errorOf,
  messageIn,
  openSession,
  resultOf,
  type Session,
  textOf,
} from '../harness/session.ts'
import { until } from '../harness/until.ts'

const daemon = { mode: 'daemon', limits: { calls: 1_000_000, per: '1s' } }
const gateway = await startGateway(
  { after },
  {
    config: { sessions: { max: 500, perTool: 300 }, limits: { calls: 1_000_000, per: '1s' } },
    tools: {
      counts: { ...daemon, command: fixture('counts-calls') },
      idle: { ...daemon, command: fixture('counts-calls'), idle: '2s' },
      crashes: { ...daemon, command: fixture('counts-calls') },
      progress: { ...daemon, command: fixture('progress') },
      cancels: { ...daemon, command: fixture('answers-cancel') },
      asks: { ...daemon, command: fixture('asks') },
      announces: { ...daemon, command: fixture('announces') },
      broken: { ...daemon, command: fixture('exits-at-start') },
      where: { ...daemon, command: fixture('echo') },
    },
  },
)
const open = (tool: string, options = {}) => openSession(`${gateway.url}/mcp/${tool}`, options)
const count = async (session: Session, args: object = {}, id?: string | number) =>
  JSON.parse(textOf(await session.request('tools/call', { name: 'count', arguments: args }, id)))

test('100 clients with the same ids never cross', async () => {
  const sessions = await Promise.all(Array.from({ length: 100 }, () => open('counts')))
  const rounds = sessions.map(async (session, index) => {
    for (const id of [1, '1', 2]) {
      const tag = `${index} ${typeof id} ${id}`
      const params = { name: 'count', arguments: { tag, wait: (index * 7) % 20 } }
      const answer = await session.request('tools/call', params, id)
      assert.equal(answer.id, id)
      assert.equal(JSON.parse(textOf(answer)).tag, tag)
    }
  })
  await Promise.all(rounds)
  const pids = await Promise.all(sessions.slice(0, 5).map((session) => count(session)))
  assert.equal(new Set(pids.map(({ pid }) => pid)).size, 1)
  await Promise.all(sessions.map((session) => session.end()))
})

test('50 clients with the same progress token each get their own 40', async () => {
  const sessions = await Promise.all(Array.from({ length: 50 }, () => open('progress')))
  const params = { name: 'burst', arguments: {}, _meta: { progressToken: 7 } }
  const streams = await Promise.all(
    sessions.map((session) => session.stream('tools/call', params, 1)),
  )
  for (const stream of streams) {
    await stream.closed
    const messages = stream.events.filter(({ data }) => data !== '').map(messageIn)
    assert.equal(messages.length, 41)
    const tokens = messages.slice(0, 40).map(({ params }) => Object(params).progressToken)
    assert.deepEqual(new Set(tokens), new Set([7]))
  }
  await Promise.all(sessions.map((session) => session.end()))
})

test('the process is the same across sessions, stopped after idle, and started again', async () => {
  const first = await open('idle')
  const { pid } = await count(first)
  await first.end()
  const second = await open('idle')
  assert.equal((await count(second)).pid, pid)
  const last = performance.now()
  await until('it to be stopped', () => !isAlive(pid), 6000)
  const rested = performance.now() - last
  assert.ok(rested > 1000 && rested < 3000, `stopped ${rested} ms after the last call`)
  const again = await count(second)
  assert.notEqual(again.pid, pid)
  assert.equal(again.calls, 1)
  await second.end()
})

test("without an idle of the tool's own the configuration's holds", async (t) => {
  const other = await startGateway(t, {
    config: { timeouts: { idle: '300ms' } },
    tools: { counts: { ...daemon, command: fixture('counts-calls') } },
  })
  const session = await openSession(`${other.url}/mcp/counts`)
  const { pid } = await count(session)
  await until('it to be stopped', () => !isAlive(pid), 5000)
  assert.notEqual((await count(session)).pid, pid)
})

test('a call that takes longer than idle is not stopped', async () => {
  const session = await open('idle')
  assert.equal((await count(session, { wait: 2600, tag: 'long' })).tag, 'long')
  await session.end()
})

test('after a crash the open calls are told, the sessions live on, and it starts again', async () => {
  const [ada, bob] = await Promise.all([open('crashes'), open('crashes')])
  const { pid } = await count(ada)
  const waiting = bob.request('tools/call', { name: 'count', arguments: { wait: 20_000 } })
  const died = await ada.request('tools/call', { name: 'die', arguments: {} })
  for (const message of [died, await waiting])
    assert.match(errorOf(message).message, /gone|ended|exit/)
  const again = await until('it to be back', async () => {
    const message = await bob.request('tools/call', { name: 'count', arguments: {} })
    return message.result ? JSON.parse(textOf(message)) : undefined
  })
  assert.notEqual(again.pid, pid)
  await Promise.all([ada.end(), bob.end()])
})

test('one that keeps crashing at its start is started again ever more slowly', async () => {
  const before = starts()
  const end = performance.now() + 3000
  let asked = 0
  while (performance.now() < end) {
    await assert.rejects(open('broken'))
    asked += 1
    await new Promise((later) => setTimeout(later, 20))
  }
  assert.ok(asked > 20, 'each was answered at once')
  assert.ok(starts() - before <= 8, `${starts() - before} starts in 3 s`)
})

test("a cancel reaches the right call, and no other client's", async () => {
  const [ada, bob] = await Promise.all([open('cancels'), open('cancels')])
  const waits = [ada, bob].map((session) =>
    session.stream('tools/call', { name: 'wait', arguments: {} }, 'same'),
  )
  const [adas, bobs] = await Promise.all(waits)
  await until('both to have begun', async () => (await ada.callText('pid')) !== '')
  await ada.notify('notifications/cancelled', { requestId: 'same', reason: 'ada left' })
  await until('the tool to hear of one', async () => (await ada.callText('cancelled')) === '1')
  assert.ok(!bobs?.events.some(({ data }) => data.includes('"result"')))
  await bob.notify('notifications/cancelled', { requestId: 'same', reason: 'bob left' })
  await until('the tool to hear of both', async () => (await ada.callText('cancelled')) === '2')
  adas?.abort()
  bobs?.abort()
  await Promise.all([ada.end(), bob.end()])
})

test('no client capability is offered to it, and what it asks is refused', async () => {
  const session = await open('asks', { capabilities: { sampling: {}, roots: {} } })
  const params = { name: 'ask', arguments: { method: 'roots/list' } }
  const told = JSON.parse(textOf(await session.request('tools/call', params)))
  assert.ok(told.error)
  await session.end()
})

test('updates go to who subscribed, list changes to all, logs to nobody', async () => {
  const [ada, bob] = await Promise.all([open('announces'), open('announces')])
  const [adas, bobs] = await Promise.all([ada.listen(), bob.listen()])
  assert.deepEqual(resultOf(await ada.request('resources/subscribe', { uri: 'it://one' })), {})
  assert.deepEqual(resultOf(await ada.request('logging/setLevel', { level: 'debug' })), {})
  const call = await bob.stream('tools/call', { name: 'announce', arguments: {} })
  await call.closed
  await adas.waitFor('tools', ({ data }) => data.includes('tools/list_changed'))
  await adas.waitFor('the update', ({ data }) => data.includes('resources/updated'))
  const heard = [...bobs.events, ...call.events].map(({ data }) => data).join('\n')
  assert.equal(heard.split('list_changed').length - 1, 3)
  assert.doesNotMatch(heard, /resources\/updated/)
  for (const { data } of [...adas.events, ...bobs.events, ...call.events])
    assert.doesNotMatch(data, /notifications\/message/)
  adas.abort()
  bobs.abort()
  await Promise.all([ada.end(), bob.end()])
})

test('initialize is answered from what the process said', async () => {
  const session = await open('where')
  const { serverInfo, protocolVersion } = resultOf(session.opened.json())
  assert.deepEqual(serverInfo, { name: 'fixture', version: '1.0.0' })
  assert.equal(protocolVersion, '2025-11-25')
  const earlier = await open('where', { protocolVersion: '2025-03-26' })
  assert.ok(earlier.opened.status === 200)
  await Promise.all([session.end(), earlier.end()])
})

function starts(): number {
  return gateway.logs.filter(({ tool, msg }) => tool === 'broken' && /start/.test(String(msg)))
    .length
}
