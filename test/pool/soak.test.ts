import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Priority } from '../../src/pool/queue.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { until } from '../harness/until.ts'
import { ASKABLE, callOf, LEGACY, linkOf, openPool, type PoolGiven, toolOf } from './given.ts'

const MILLISECONDS = 6000

/** Calls one after the other until time is up; how many were answered, and how many refused. */
async function keepCalling(
  given: PoolGiven,
  tool: Declaration,
  caller: string | null,
  { priority = 'interactive' as Priority, until: end = 0 },
) {
  const count = { answered: 0, refused: 0 }
  while (performance.now() < end) {
    const link = linkOf(tool, caller, { capabilities: ASKABLE })
    const lease = await given.pool.lease(link, { priority })
    const call = callOf(link, 'tools/call', { name: 'count', arguments: { wait: 5 } })
    lease.begin(call)
    try {
      const connection = await lease.connection(call)
      await connection.call(call)
      count.answered += 1
    } catch (error) {
      assert.ok(REFUSALS.has((error as { code: string }).code), String(error))
      count.refused += 1
      await new Promise((later) => setTimeout(later, 20))
    } finally {
      lease.end(call)
      lease.release('answered')
    }
  }
  return count
}

const REFUSALS = new Set(['queue_full', 'unavailable'])

test('under mixed load nobody starves, and nothing is left of it', {
  timeout: 40_000,
}, async (t) => {
  const given = await openPool(t, {
    perTool: 3,
    pool: { queue: 30, wait: 4000, starts: 2, instances: 8 },
  })
  const keyed = toolOf('counts-calls', { warm: { spares: 1, initialized: false }, idle: 400 })
  const pooled = toolOf('counts-calls', {
    name: 'pooled',
    mode: 'daemon',
    instances: { min: 1, max: 2 },
    idle: 400,
  })
  for (const tool of [keyed, pooled]) given.pool.prepare(tool, LEGACY)
  const end = performance.now() + MILLISECONDS
  const crowd = Array.from({ length: 12 }, () => keepCalling(given, keyed, 'crowd', { until: end }))
  const single = keepCalling(given, keyed, 'single', { until: end })
  const job = keepCalling(given, keyed, 'worker', { priority: 'job', until: end })
  const anyone = keepCalling(given, keyed, null, { until: end })
  const shared = [1, 2, 3].map((each) => keepCalling(given, pooled, `user ${each}`, { until: end }))
  const counts = { single: await single, anyone: await anyone, job: await job }
  const users = await Promise.all(shared)
  const many = await Promise.all(crowd)
  const answered = many.reduce((sum, each) => sum + each.answered, 0)
  t.diagnostic(JSON.stringify({ ...counts, crowd: answered, users }))
  for (const [who, { answered }] of Object.entries(counts)) {
    // Jobs wait for all others, so all that is asked of theirs is that they are not lost.
    if (who !== 'job') assert.ok(answered > 1, `${who} starved`)
  }
  for (const each of users) assert.ok(each.answered > 10)
  assert.ok(answered > 0)
  assert.deepEqual(given.pool.waiting(), [])
  for (const tool of [keyed, pooled]) given.pool.retire(tool)
  await until('all to be gone', () => given.pool.counts().length === 0)
  assert.deepEqual(given.pool.spares(), [])
})
