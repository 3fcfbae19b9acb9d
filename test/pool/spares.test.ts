import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { Link } from '../../src/call/link.ts'
import { requestMessage } from '../../src/protocol/read.ts'
import { isAlive } from '../harness/processes.ts'
import { textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import {
  ASKABLE,
  callFunction,
  callOf,
  LEGACY,
  linkOf,
  MODERN,
  openPool,
  POLICY,
  type PoolGiven,
  toolOf,
} from './given.ts'

const TRACE = '00-11111111111111111111111111111111-2222222222222222-01'
const SESSION: Partial<Link> = { kind: 'session', era: 'legacy', traceparent: TRACE }
const warm = (name: string, spares: number, more = {}) =>
  toolOf(name, { warm: { spares, initialized: false }, ...more })

const spares = ({ pool }: PoolGiven, tool: Link['tool']) =>
  pool.running(tool.name).filter(({ spare }) => spare === true)
const haveSpares = (given: PoolGiven, tool: Link['tool'], count: number) =>
  until(`${count} spares`, () => spares(given, tool).length === count)
const pidOf = ({ logs }: PoolGiven, id: string | undefined) =>
  Number(logs.find((line) => line.instance === id && line.msg === 'instance started')?.pid)

async function where(given: PoolGiven, link: Link) {
  const lease = await given.pool.lease(link)
  const call = callOf(link, 'tools/call', { name: 'where', arguments: {} })
  lease.begin(call)
  try {
    const answer = await (await lease.connection(call)).call(call)
    return {
      lease,
      ...(JSON.parse(textOf(answer.json())) as { pid: number; traceparent?: string }),
    }
  } finally {
    lease.end(call)
  }
}

test('a session is given a process that runs already, was told nothing and knows no trace', async (t) => {
  const given = await openPool(t)
  const echo = warm('echo', 1)
  given.pool.prepare(echo, LEGACY)
  await haveSpares(given, echo, 1)
  const [spare] = spares(given, echo)
  assert.deepEqual(given.pool.spares(), [['echo', 1]])
  const served = await where(given, linkOf(echo, 'ann', SESSION))
  assert.equal(served.pid, pidOf(given, spare?.id))
  assert.equal(served.traceparent, undefined)
  assert.ok(
    given.logs.some(({ msg, instance }) => msg === 'spare handed out' && instance === spare?.id),
  )
  await haveSpares(given, echo, 1)
  assert.notEqual(spares(given, echo)[0]?.id, spare?.id)
  served.lease.release('the session ends')
  await until('its process to end', () => !isAlive(served.pid))
  assert.equal(given.starts(), 2)
})

test('each spare is handed out once, and who finds none starts a process', async (t) => {
  const given = await openPool(t)
  const echo = warm('echo', 2)
  given.pool.prepare(echo, LEGACY)
  await haveSpares(given, echo, 2)
  const ready = spares(given, echo).map(({ id }) => pidOf(given, id))
  const served = await Promise.all([1, 2, 3].map(() => where(given, linkOf(echo, 'ann', SESSION))))
  const pids = served.map(({ pid }) => pid)
  assert.equal(new Set(pids).size, 3)
  assert.deepEqual(new Set(pids.filter((pid) => ready.includes(pid))), new Set(ready))
})

test('a modern session, an anonymous request and those of a caller are served by spares', async (t) => {
  const given = await openPool(t, { spoken: MODERN })
  const modern = warm('modern-echo', 1)
  given.pool.prepare(modern, MODERN)
  for (const caller of [null, 'ann']) {
    await haveSpares(given, modern, 1)
    const [spare] = spares(given, modern)
    const { pid } = await callFunction(given, linkOf(modern, caller), 'where')
    assert.equal(pid, pidOf(given, spare?.id))
  }
  await haveSpares(given, modern, 1)
  const [spare] = spares(given, modern)
  const lease = await given.pool.lease(linkOf(modern, 'ann', SESSION))
  lease.begin()
  await lease.connection()
  lease.end()
  assert.ok(!spares(given, modern).some(({ id }) => id === spare?.id))
})

test('calls that need a process each take spares too', async (t) => {
  const given = await openPool(t)
  const counts = warm('counts-calls', 1)
  given.pool.prepare(counts, LEGACY)
  await haveSpares(given, counts, 1)
  const [spare] = spares(given, counts)
  const link = linkOf(counts, 'ann', { capabilities: ASKABLE })
  assert.equal((await callFunction(given, link, 'count')).pid, pidOf(given, spare?.id))
})

test('a spare that died is never handed out, though its end was not seen yet', async (t) => {
  const given = await openPool(t)
  const echo = warm('echo', 1)
  given.pool.prepare(echo, LEGACY)
  await haveSpares(given, echo, 1)
  const [spare] = spares(given, echo)
  const pid = pidOf(given, spare?.id)
  process.kill(pid, 'SIGKILL')
  // Dead, and not yet seen to be: nothing has been read since.
  while (isRunning(pid));
  const served = await where(given, linkOf(echo, 'ann', SESSION))
  assert.notEqual(served.pid, pid)
  await haveSpares(given, echo, 1)
})

test('a tool that exits at once is not started again and again', async (t) => {
  const given = await openPool(t)
  const broken = warm('exits-at-start', 3)
  given.pool.prepare(broken, LEGACY)
  await until('it to be tried twice', () => given.starts() >= 2)
  await new Promise((later) => setTimeout(later, 1500))
  assert.ok(given.starts() <= 4, `started ${given.starts()} times`)
})

test('spares count against the caps, and give way to whoever comes', async (t) => {
  const given = await openPool(t, { perTool: 2, pool: { instances: 3 } })
  const echo = warm('echo', 5)
  given.pool.prepare(echo, LEGACY)
  await haveSpares(given, echo, 2)
  const other = toolOf('counts-calls')
  await callFunction(given, linkOf(other, 'ann'), 'count')
  await callFunction(given, linkOf(other, 'bob'), 'count')
  await haveSpares(given, echo, 1)
  const held = [await where(given, linkOf(echo, 'ann', SESSION))]
  await new Promise((later) => setTimeout(later, 600))
  assert.equal(spares(given, echo).length, 0, 'there is no room for more')
  held[0]?.lease.release('the session ends')
  await haveSpares(given, echo, 1)
})

test('spares end with their version, and with the pool; none are started for what is unknown', async (t) => {
  const given = await openPool(t)
  const echo = warm('echo', 1)
  const next = warm('echo', 1, { version: 'v2' })
  await new Promise((later) => setTimeout(later, 400))
  assert.equal(given.starts(), 0)
  given.pool.prepare(echo, LEGACY)
  await haveSpares(given, echo, 1)
  const before = pidOf(given, spares(given, echo)[0]?.id)
  given.pool.retire(echo)
  given.pool.prepare(next, LEGACY)
  await until('the old one to end', () => !isAlive(before))
  await haveSpares(given, next, 1)
  const after = pidOf(given, spares(given, next)[0]?.id)
  await given.pool.close('the test ends')
  assert.ok(!isAlive(after))
})

test('who finds spares of others alone is served before one is started for the next like it', async (t) => {
  const given = await openPool(t)
  const ears = toolOf('hears-hello', { warm: { spares: 1, initialized: true } })
  given.pool.prepare(ears, LEGACY)
  await haveSpares(given, ears, 1)
  const visit = async (name: string) => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name } }
    const hello = requestMessage(1, 'initialize', params)
    const lease = await given.pool.lease(linkOf(ears, 'ann', { ...SESSION, hello }))
    lease.release('the session ends')
  }
  for (const name of ['ann', 'ann', 'bob']) {
    await visit(name)
    await haveSpares(given, ears, 1)
  }
  const before = given.logs.length
  await visit('bob')
  const started = () => given.logs.slice(before).filter(({ msg }) => msg === 'instance started')
  await until('both to be started', () => started().length === 2)
  assert.deepEqual(
    started().map(({ spare }) => spare),
    [undefined, true],
  )
})

test('where what a process may touch depends on its caller there are none', async (t) => {
  const given = await openPool(t)
  const policy = { ...POLICY, workspace: { access: 'read-write', per: 'caller' } }
  const own = warm('echo', 1, { policy })
  given.pool.prepare(own, LEGACY)
  await new Promise((later) => setTimeout(later, 600))
  assert.equal(given.starts(), 0)
})

test('what a spare said before its session is said to that, as far as it is kept', async (t) => {
  const given = await openPool(t)
  const early = warm('speaks-first', 1)
  given.pool.prepare(early, LEGACY)
  await until('it to have spoken', () => given.logs.some(({ line }) => line === 'I have spoken'))
  const heard: unknown[] = []
  const deliver = (message: { readonly method?: string }) => void heard.push(message.method)
  await given.pool.lease(linkOf(early, 'ann', { ...SESSION, deliver }))
  assert.equal(heard.length, 64)
  assert.equal(heard[0], 'notifications/message')
})

/** False for what only waits to be looked at: none of its threads is left but the first. */
function isRunning(pid: number): boolean {
  return isAlive(pid) || readdirSync(`/proc/${pid}/task`).length > 1
}
