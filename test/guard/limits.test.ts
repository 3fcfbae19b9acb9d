import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToolgateError } from '../../src/errors.ts'
import { createLimits, type ToolLimits } from '../../src/guard/limits.ts'
import type { Declaration, Limits } from '../../src/tool/declaration.ts'
import { callerWith, toolWith } from './given.ts'

const MINUTE = 60_000

test('the call past the limit is refused, with the limit and when to try again', async (t) => {
  const { limits, counted } = limitsOf(t, { calls: 3, per: MINUTE, burst: 0 })
  const tool = toolWith()
  assert.equal(await passed(limits, tool, 3), 3)
  await assert.rejects(limits.charge(callerWith(), tool), (error: ToolgateError) => {
    assert.deepEqual([error.code, error.status], ['rate_limited', 429])
    assert.equal(error.message, 'clock takes 3 calls every 60 s; try again later.')
    assert.deepEqual(error.data, { limit: { calls: 3, perMs: MINUTE, burst: 0 } })
    assert.ok(Number.isInteger(error.retryAfter))
    assert.ok(error.retryAfter !== undefined && error.retryAfter >= 1 && error.retryAfter <= 60)
    return true
  })
  assert.deepEqual(counted, ['clock'])
})

test('other tools are untouched', async (t) => {
  const { limits } = limitsOf(t, { calls: 2, per: MINUTE, burst: 0 })
  assert.equal(await passed(limits, toolWith({ name: 'a' }), 5), 2)
  assert.equal(await passed(limits, toolWith({ name: 'b' }), 5), 2)
})

test('a burst goes on top', async (t) => {
  const { limits } = limitsOf(t, { calls: 3, per: MINUTE, burst: 4 })
  assert.equal(await passed(limits, toolWith(), 20), 7)
})

test("a tool's own limits go before the standard", async (t) => {
  const { limits } = limitsOf(t, { calls: 100, per: MINUTE, burst: 100 })
  const tool = toolWith({ limits: { calls: 1, per: MINUTE, burst: 0 } })
  assert.equal(await passed(limits, tool, 5), 1)
})

test('calls pass again when their time is over; a burst takes ten times as long', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  const { limits } = limitsOf(t, { calls: 2, per: 1000, burst: 3 })
  const tool = toolWith()
  assert.equal(await passed(limits, tool, 10), 5)
  t.mock.timers.tick(999)
  assert.equal(await passed(limits, tool, 10), 0)
  t.mock.timers.tick(1)
  assert.equal(await passed(limits, tool, 10), 2)
  t.mock.timers.tick(9000)
  assert.equal(await passed(limits, tool, 10), 5)
})

test('Retry-After is a whole second at least, however short the wait', async (t) => {
  const { limits } = limitsOf(t, { calls: 1, per: 1, burst: 0 })
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  const tool = toolWith()
  await limits.charge(callerWith(), tool)
  await assert.rejects(limits.charge(callerWith(), tool), { retryAfter: 1 })
})

test('the longest possible time is held, not forgotten at once', async (t) => {
  const { limits } = limitsOf(t, { calls: 2, per: 2 ** 31 - 1, burst: 3 })
  const tool = toolWith()
  assert.equal(await passed(limits, tool, 5), 5)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(await passed(limits, tool, 5), 0)
})

test('a reload keeps the count, unless it changes the numbers', async (t) => {
  const { limits } = limitsOf(t, { calls: 9, per: MINUTE, burst: 0 })
  const own = (calls: number) => toolWith({ limits: { calls, per: MINUTE, burst: 0 } })
  limits.serve(own(2))
  assert.equal(await passed(limits, own(2), 5), 2)
  limits.serve(own(2))
  assert.equal(await passed(limits, own(2), 5), 0)
  limits.serve(own(3))
  assert.equal(await passed(limits, own(3), 5), 3)
})

test('a session of an older version is charged under the limits that are served', async (t) => {
  const { limits } = limitsOf(t, { calls: 9, per: MINUTE, burst: 0 })
  const own = (calls: number) => toolWith({ limits: { calls, per: MINUTE, burst: 0 } })
  limits.serve(own(3))
  assert.equal(await passed(limits, own(50), 5), 3)
  assert.equal(await passed(limits, own(3), 5), 0)
})

test('a tool that is forgotten begins anew', async (t) => {
  const { limits } = limitsOf(t, { calls: 2, per: MINUTE, burst: 0 })
  assert.equal(await passed(limits, toolWith(), 5), 2)
  limits.forget('clock')
  limits.forget('never seen')
  assert.equal(await passed(limits, toolWith(), 5), 2)
})

test('calls at the same time are counted each', async (t) => {
  const { limits } = limitsOf(t, { calls: 10, per: MINUTE, burst: 5 })
  const tool = toolWith()
  const charges = Array.from({ length: 100 }, () => limits.charge(callerWith(), tool))
  const settled = await Promise.allSettled(charges)
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 15)
})

test('no timer keeps the process, and none is left after closing', async () => {
  const before = timers()
  const limits = createLimits({ calls: 1, per: MINUTE, burst: 1 }, { rateLimited() {} })
  await passed(limits, toolWith({ name: 'a' }), 5)
  await passed(limits, toolWith({ name: 'b' }), 5)
  assert.equal(timers(), before)
  limits.close()
  assert.equal(timers(), before)
})

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length
}

interface Given {
  readonly limits: ToolLimits
  /** Tools counted as refused. */
  readonly counted: readonly string[]
}

function limitsOf(owner: { after(end: () => void): void }, standard: Limits): Given {
  const counted: string[] = []
  const limits = createLimits(standard, { rateLimited: (tool) => void counted.push(tool) })
  owner.after(() => limits.close())
  return { limits, counted }
}

/** How many of so many calls were let through. */
async function passed(limits: ToolLimits, tool: Declaration, calls: number): Promise<number> {
  let count = 0
  for (let n = 0; n < calls; n += 1) {
    try {
      await limits.charge(callerWith(), tool)
      count += 1
    } catch (error) {
      assert.equal((error as ToolgateError).code, 'rate_limited')
    }
  }
  return count
}
