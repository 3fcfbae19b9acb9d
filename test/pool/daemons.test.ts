import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../../src/call/link.ts'
import type { Lease } from '../../src/pool/lease.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { isAlive } from '../harness/processes.ts'
import { textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import {
  callFunction,
  callOf,
  LEGACY,
  linkOf,
  MODERN,
  openPool,
  type PoolGiven,
  toolOf,
} from './given.ts'

const daemon = (name: string, min: number, max: number, more: Partial<Declaration> = {}) =>
  toolOf(name, { mode: 'daemon', instances: { min, max }, ...more })
const count = (given: PoolGiven, tool: Declaration, wait = 0) =>
  callFunction(given, linkOf(tool), 'count', { wait })
const pids = (answers: readonly Record<string, unknown>[]) =>
  new Set(answers.map(({ pid }) => Number(pid)))

/** A legacy session on a daemon, initialized. */
async function openSession(given: PoolGiven, tool: Declaration) {
  const heard: string[] = []
  const deliver: Link['deliver'] = ({ method }) => void heard.push(String(method))
  const link = linkOf(tool, 'ann', { kind: 'session', era: 'legacy', deliver })
  const lease = await given.pool.lease(link)
  return {
    heard,
    link,
    lease,
    ask: (method: string, params = {}) => ask(lease, link, method, params),
  }
}

async function ask(lease: Lease, link: Link, method: string, params = {}) {
  const call = callOf(link, method, params)
  lease.begin(call)
  try {
    return (await (await lease.connection(call)).call(call)).json()
  } finally {
    lease.end(call)
  }
}

test('concurrent calls have a process each, up to the most there may be', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 0, 2)
  const answers = await Promise.all([1, 2, 3, 4].map(() => count(given, counts, 500)))
  assert.equal(pids(answers).size, 2)
  assert.deepEqual(
    answers.map(({ calls }) => calls),
    [2, 2, 2, 2],
  )
  assert.equal(given.starts(), 2)
})

test('calls one after the other share the process that was used last', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 0, 3)
  const [quick, slow] = await Promise.all([count(given, counts), count(given, counts, 400)])
  assert.notEqual(quick?.pid, slow?.pid)
  for (let call = 0; call < 3; call += 1) {
    assert.equal((await count(given, counts)).pid, slow?.pid)
  }
  assert.equal(given.starts(), 2)
})

test('a call is given the process with the fewest open calls', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 0, 2)
  const first = count(given, counts, 2500)
  const second = count(given, counts, 500)
  const { pid } = await second
  const next = await Promise.all([count(given, counts, 200), count(given, counts)])
  assert.equal(next[0]?.pid, pid)
  assert.notEqual((await first).pid, pid)
})

test('the least there are to be are started before anybody calls, and again after a crash', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 2, 3, { idle: 300 })
  given.pool.prepare(counts, LEGACY)
  given.pool.prepare(counts, LEGACY)
  await until('both to run', () => given.pool.count(counts.name) === 2)
  const answers = await Promise.all([1, 2].map(() => count(given, counts, 200)))
  assert.equal(given.starts(), 2)
  const [crashing] = pids(answers)
  process.kill(Number(crashing), 'SIGKILL')
  await until('another to be started', () => given.starts() === 3)
  await until('two to run', () => given.pool.count(counts.name) === 2)
  await new Promise((later) => setTimeout(later, 800))
  assert.equal(given.pool.count(counts.name), 2, 'these are not stopped for being idle')
})

test('what is above the least is stopped when idle', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 1, 3, { idle: 300 })
  given.pool.prepare(counts, LEGACY)
  const answers = await Promise.all([1, 2, 3].map(() => count(given, counts, 300)))
  assert.equal(pids(answers).size, 3)
  await until('one to be left', () => given.pool.count(counts.name) === 1)
  await new Promise((later) => setTimeout(later, 500))
  assert.equal(given.pool.count(counts.name), 1)
  assert.equal(given.starts(), 3)
})

test('what exits at once is started again ever more slowly', async (t) => {
  const given = await openPool(t)
  const broken = daemon('exits-at-start', 2, 2)
  given.pool.prepare(broken, LEGACY)
  const failures = () => given.logs.filter(({ msg }) => msg === 'instance could not be started')
  await until('it to be tried twice', () => failures().length >= 2)
  await new Promise((later) => setTimeout(later, 1500))
  assert.ok(failures().length <= 5, `${failures().length} starts`)
})

test('a call that another process cannot be started for is served by one that runs', async (t) => {
  const given = await openPool(t)
  const once = daemon('starts-once', 0, 2)
  const { pid } = await callFunction(given, linkOf(once), 'count')
  const answers = await Promise.all(
    [1, 2, 3].map(() => callFunction(given, linkOf(once), 'count', { wait: 300 })),
  )
  assert.deepEqual(pids(answers), new Set([pid]))
})

test('a session on a pool is told what changes in any of its processes, and cancels in any', async (t) => {
  const given = await openPool(t)
  const announces = daemon('announces', 2, 2, { idle: 60_000 })
  given.pool.prepare(announces, LEGACY)
  await until('both to run', () => given.pool.count(announces.name) === 2)
  const session = await openSession(given, announces)
  await session.ask('resources/subscribe', { uri: 'it://one' })
  const links = [linkOf(announces, 'bob'), linkOf(announces, 'cat')]
  const leases = await Promise.all(links.map((link) => given.pool.lease(link)))
  const calls = links.map((link) => callOf(link, 'tools/call', { name: 'announce' }))
  for (const [at, lease] of leases.entries()) lease.begin(calls[at])
  const connections = await Promise.all(leases.map((lease, at) => lease.connection(calls[at])))
  assert.notEqual(connections[0], connections[1])
  for (const [at, connection] of connections.entries()) {
    const before = session.heard.length
    const call = calls[at]
    assert.ok(call)
    await connection.call(call)
    await until('its news', () => session.heard.length === before + 4)
  }
  assert.deepEqual(
    new Set(session.heard),
    new Set([
      ...['tools', 'prompts', 'resources'].map((list) => `notifications/${list}/list_changed`),
      'notifications/resources/updated',
    ]),
  )
})

test('a session on a pool of a modern tool hears of its resource from all of them, before and after', async (t) => {
  const given = await openPool(t, { spoken: MODERN })
  const modern = daemon('modern-echo', 1, 2, { idle: 60_000 })
  given.pool.prepare(modern, MODERN)
  await until('one to run', () => given.pool.count(modern.name) === 1)
  const session = await openSession(given, modern)
  const uri = 'test://note'
  const updates = () => session.heard.filter((method) => method.endsWith('/updated')).length
  await session.ask('resources/subscribe', { uri })
  const links = [linkOf(modern, 'bob'), linkOf(modern, 'cat')]
  const leases = await Promise.all(links.map((link) => given.pool.lease(link)))
  const touch = async (at: number) => {
    const link = links[at] as Link
    const call = callOf(link, 'tools/call', { name: 'touch', arguments: { uri }, _meta: META })
    return (await leases[at]?.connection())?.call(call)
  }
  for (const lease of leases) lease.begin()
  await Promise.all(leases.map((lease) => lease.connection()))
  assert.equal(given.starts(), 2)
  for (const at of [0, 1]) {
    await until('its update', async () => {
      const before = updates()
      await touch(at)
      return updates() > before
    })
  }
  await session.ask('resources/unsubscribe', { uri })
  const silent = updates()
  await until('both to be told', async () => {
    const before = updates()
    for (const at of [0, 1]) await touch(at)
    return updates() === before
  })
  assert.ok(updates() >= silent)
})

test('a subscriber keeps one process, not all of them', async (t) => {
  const given = await openPool(t)
  const announces = daemon('announces', 0, 2, { idle: 300 })
  const session = await openSession(given, announces)
  await session.ask('resources/subscribe', { uri: 'it://one' })
  const [one, other] = [linkOf(announces, 'bob'), linkOf(announces, 'cat')]
  const leases = await Promise.all([one, other].map((link) => given.pool.lease(link)))
  for (const lease of leases) lease.begin()
  await Promise.all(leases.map((lease) => lease.connection()))
  assert.equal(given.pool.count(announces.name), 2)
  for (const lease of leases) {
    lease.end()
    lease.release('answered')
  }
  await until('one to be left', () => given.pool.count(announces.name) === 1)
  await new Promise((later) => setTimeout(later, 600))
  assert.equal(given.pool.count(announces.name), 1)
  session.lease.release('the session ends')
  await until('none to be left', () => given.pool.count(announces.name) === 0)
})

test('a version that is retired ends what it kept, and lets what is open finish', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 2, 2)
  given.pool.prepare(counts, LEGACY)
  await until('both to run', () => given.pool.count(counts.name) === 2)
  const busy = count(given, counts, 800)
  await new Promise((later) => setTimeout(later, 100))
  given.pool.retire(counts)
  const { pid } = await busy
  await until('both to end', () => given.pool.count(counts.name) === 0)
  assert.ok(!isAlive(Number(pid)))
})

test('what hangs takes no more calls while others serve', async (t) => {
  const given = await openPool(t)
  const counts = daemon('counts-calls', 0, 2)
  const link = linkOf(counts, 'ann')
  const lease = await given.pool.lease(link)
  const call = callOf(link, 'tools/call', { name: 'count', arguments: {} })
  lease.begin(call)
  const connection = await lease.connection(call)
  const { pid } = JSON.parse(textOf((await connection.call(call)).json())) as { pid: number }
  lease.doubt(connection)
  lease.end(call)
  lease.release('out of time')
  assert.notEqual((await count(given, counts)).pid, pid)
  lease.condemn(connection, 'it answered nothing')
  await until('it to be gone', () => !isAlive(pid))
})

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}
