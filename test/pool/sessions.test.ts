import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Link } from '../../src/call/link.ts'
import { LegacyConnection } from '../../src/outbound/legacy.ts'
import { ModernConnection } from '../../src/outbound/modern.ts'
import type { Lease } from '../../src/pool/lease.ts'
import { isAlive } from '../harness/processes.ts'
import { resultOf, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'
import {
  callFunction,
  callOf,
  DUAL,
  LEGACY,
  linkOf,
  MODERN,
  openPool,
  type PoolOptions,
  toolOf,
} from './given.ts'

const modern = toolOf('modern-echo')

/** A legacy session on a tool, and what happened to it. */
async function openSession(t: TestContext, tool: Link['tool'], options: PoolOptions) {
  const given = await openPool(t, options)
  const ended: string[] = []
  const more = { kind: 'session', era: 'legacy', ended: (reason: string) => ended.push(reason) }
  const link = linkOf(tool, 'ann', more as Partial<Link>)
  return { given, link, ended, lease: await given.pool.lease(link) }
}

async function request(lease: Lease, link: Link, method: string, params = {}) {
  const call = callOf(link, method, params)
  lease.begin(call)
  try {
    return (await (await lease.connection()).call(call)).json()
  } finally {
    lease.end()
  }
}

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
}
const where = async (lease: Lease, link: Link) => {
  const message = await request(lease, link, 'tools/call', { name: 'where', arguments: {} })
  return JSON.parse(textOf(message)) as { pid: number }
}

test('a session on a modern tool outlives its process, which ends with it', async (t) => {
  const { given, link, ended, lease } = await openSession(t, modern, { spoken: MODERN })
  assert.equal(given.starts(), 0)
  const hello = resultOf(await request(lease, link, 'initialize', INITIALIZE))
  assert.equal(hello.protocolVersion, '2025-11-25')
  const { pid } = await where(lease, link)
  assert.equal((await where(lease, link)).pid, pid)
  process.kill(pid, 'SIGKILL')
  await until('it to be seen', () => lease.current() === undefined)
  const again = await where(lease, link)
  assert.notEqual(again.pid, pid)
  assert.deepEqual(ended, [])
  lease.release('the session ends')
  await until('it to be gone', () => !isAlive(again.pid))
})

test('two sessions on a modern tool share nothing', async (t) => {
  const { given, link, lease } = await openSession(t, modern, { spoken: MODERN })
  const other = linkOf(modern, 'ann', { kind: 'session', era: 'legacy' })
  const others = await given.pool.lease(other)
  assert.notEqual((await where(lease, link)).pid, (await where(others, other)).pid)
})

test('a session on a tool of both eras is served as it was before there were two', async (t) => {
  const dual = toolOf('everything', {}, 'dual')
  const { given, link, ended, lease } = await openSession(t, dual, { spoken: DUAL })
  assert.ok((await lease.connection()) instanceof LegacyConnection)
  const hello = resultOf(await request(lease, link, 'initialize', INITIALIZE))
  assert.equal(hello.protocolVersion, '2025-11-25')
  const alone = linkOf(dual, 'ann')
  const single = await given.pool.lease(alone)
  single.begin()
  assert.ok((await single.connection()) instanceof ModernConnection)
  single.end()
  assert.deepEqual(ended, [])
})

test('a caller has one process of a modern tool for all single requests', async (t) => {
  const given = await openPool(t, { spoken: MODERN })
  const pids = []
  for (const capabilities of [{}, { elicitation: {} }, { sampling: {} }]) {
    const link = linkOf(modern, 'ann', { capabilities })
    pids.push((await callFunction(given, link, 'where')).pid)
  }
  assert.equal(new Set(pids).size, 1)
})

test('a lease waits for what a tool speaks, and for nothing where that is known', async (t) => {
  const { promise, resolve } = Promise.withResolvers<typeof MODERN>()
  const given = await openPool(t, { spoken: () => promise })
  const link = linkOf(modern, 'ann')
  const leasing = given.pool.lease(link)
  resolve(MODERN)
  const lease = await leasing
  lease.begin()
  assert.ok((await lease.connection()) instanceof ModernConnection)
  lease.end()
})

test('a session whose client abandons what it was asked ends with its process', async (t) => {
  const { link, ended, lease } = await openSession(t, toolOf('echo'), { spoken: LEGACY })
  await request(lease, link, 'initialize', INITIALIZE)
  const { pid } = await where(lease, link)
  lease.abandon(await lease.connection(), 'its client did not answer')
  await until('it to be gone', () => !isAlive(pid))
  await until('its end to be told', () => ended.length > 0)
  assert.deepEqual(ended, ['its client did not answer'])
})
