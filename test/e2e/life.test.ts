import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Owner, startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import { openSession, textOf } from '../harness/session.ts'
import { allLearned } from '../harness/tool-view.ts'
import { until, within } from '../harness/until.ts'

const start = (owner: Owner, drain = '10s') =>
  startGateway(owner, {
    config: { timeouts: { drain, stdin: '200ms', term: '200ms' } },
    tools: {
      counts: { command: fixture('counts-calls') },
      daemon: { command: fixture('counts-calls'), mode: 'daemon' },
      stubborn: { command: fixture('ignores-term') },
      grandchild: { command: fixture('leaves-grandchild') },
      waits: { command: fixture('answers-cancel') },
    },
  })

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal} lets open calls finish, ends every process tree and exits 0`, async (t) => {
    const gateway = await start(t)
    await allLearned(gateway)
    const open = (tool: string) => openSession(`${gateway.url}/mcp/${tool}`)
    const [counts, daemon, stubborn, grandchild] = await Promise.all(
      ['counts', 'daemon', 'stubborn', 'grandchild'].map(open),
    )
    await Promise.all([stubborn?.callText('pid'), grandchild?.callText('spawn')])
    const listening = await counts?.listen()
    await until('only theirs to be left', () => gateway.processes().length === 5)
    const before = gateway.processes()
    const call = { name: 'count', arguments: { wait: 1500, tag: 'last' } }
    const streams = [counts, daemon].map((session) => session?.request('tools/call', call, 1))
    await new Promise((begun) => setTimeout(begun, 300))
    gateway.signal(signal)
    for (const answer of await Promise.all(streams))
      assert.equal(JSON.parse(textOf(answer ?? {})).tag, 'last')
    assert.equal(await gateway.exit, 0)
    await listening?.closed
    assert.deepEqual(before.filter(isAlive), [])
    assert.deepEqual(gateway.processes(), [])
  })

test('what outlasts the drain time is told, and the exit code is 0 all the same', async (t) => {
  const gateway = await start(t, '500ms')
  const session = await openSession(`${gateway.url}/mcp/waits`)
  const stream = await session.request('tools/call', { name: 'pid', arguments: {} })
  assert.ok(stream.result)
  const waiting = session
    .request('tools/call', { name: 'wait', arguments: {} }, 1)
    .catch((error: Error) => ({ error: { code: 0, message: error.message } }))
  await new Promise((begun) => setTimeout(begun, 100))
  gateway.signal('SIGTERM')
  assert.ok((await waiting).error)
  assert.equal(await gateway.exit, 0)
})

test('new work is refused while it drains', async (t) => {
  const gateway = await start(t)
  const session = await openSession(`${gateway.url}/mcp/counts`)
  const call = { name: 'count', arguments: { wait: 1500 } }
  const open = await session
    .stream('tools/call', { ...call, _meta: { progressToken: 1 } }, 1)
    .catch(() => undefined)
  const running = open ?? session.request('tools/call', call, 2)
  await new Promise((begun) => setTimeout(begun, 200))
  gateway.signal('SIGTERM')
  await until('new work to be refused', () => refused(`${gateway.url}/mcp/daemon`), 3000)
  await running
  assert.equal(await gateway.exit, 0)
})

test('a second signal does not wait for open calls, and leaves no process either', async (t) => {
  const gateway = await start(t, '60s')
  const session = await openSession(`${gateway.url}/mcp/waits`)
  const stubborn = await openSession(`${gateway.url}/mcp/stubborn`)
  assert.ok(await stubborn.callText('pid'))
  session.request('tools/call', { name: 'wait', arguments: {} }, 1).catch(() => {})
  await new Promise((begun) => setTimeout(begun, 200))
  gateway.signal('SIGINT')
  await gateway.waitForLog('closing', ({ msg }) => msg === 'closing')
  await new Promise((later) => setTimeout(later, 700))
  gateway.signal('SIGINT')
  await within(5000, 'the end of the gateway', gateway.exit)
  await until('no process to be left', () => gateway.processes().length === 0, 5000)
})

test('a gateway that is killed takes nothing with it that others own, and says nothing more', async (t) => {
  const gateway = await start(t)
  const session = await openSession(`${gateway.url}/mcp/counts`)
  const { pid } = JSON.parse(await session.callText('count'))
  gateway.signal('SIGKILL')
  assert.equal(await gateway.exit, 'SIGKILL')
  await until('its stdin to end it', () => !isAlive(pid), 5000)
})

async function refused(url: string): Promise<boolean> {
  try {
    await openSession(url)
    return false
  } catch {
    return true
  }
}

test('without its tools folder it is alive, but not ready, and says why', async (t) => {
  const gateway = await start(t)
  rmSync(gateway.tools.dir, { recursive: true })
  const { status, text } = await raw(`${gateway.url}/ready`)
  assert.equal(status, 503)
  assert.match(text, /tools folder does not exist/)
  assert.equal((await raw(`${gateway.url}/healthz`)).status, 200)
  mkdirSync(gateway.tools.dir)
  assert.equal((await raw(`${gateway.url}/ready`)).status, 200)
})
