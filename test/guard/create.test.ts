import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from '../../src/guard/create.ts'
import { METRICS } from '../../src/telemetry/names.ts'
import { callerWith, configWith, quietTelemetry, toolWith } from './given.ts'

const ONCE = { calls: 1, per: 60_000, burst: 0 }

test('a caller who may and has not called too often is admitted', async (t) => {
  const guard = createGuard(configWith(), quietTelemetry())
  t.after(() => guard.close())
  const caller = guard.identify({}, '127.0.0.1')
  guard.see(caller, toolWith())
  await guard.admit(caller, toolWith())
})

test('who may not is refused to see and to call, and is not charged', async (t) => {
  const guard = createGuard(configWith({ limits: ONCE }), quietTelemetry())
  t.after(() => guard.close())
  const tool = toolWith({ access: { roles: ['admin'], scopes: [] } })
  const stranger = callerWith()
  assert.throws(() => guard.see(stranger, tool), { code: 'forbidden' })
  for (let n = 0; n < 3; n += 1) {
    await assert.rejects(guard.admit(stranger, tool), { code: 'forbidden' })
  }
  await guard.admit(callerWith({ roles: ['admin'] }), tool)
})

test('seeing a tool is not charged, calling it is', async (t) => {
  const guard = createGuard(configWith({ limits: ONCE }), quietTelemetry())
  t.after(() => guard.close())
  const caller = callerWith()
  for (let n = 0; n < 5; n += 1) guard.see(caller, toolWith())
  await guard.admit(caller, toolWith())
  await assert.rejects(guard.admit(caller, toolWith()), { code: 'rate_limited' })
})

test('a tool that is gone and comes back begins anew', async (t) => {
  const guard = createGuard(configWith({ limits: ONCE }), quietTelemetry())
  t.after(() => guard.close())
  await guard.admit(callerWith(), toolWith())
  guard.forget('clock')
  await guard.admit(callerWith(), toolWith())
})

test('every refusal is counted', async (t) => {
  const telemetry = quietTelemetry()
  const guard = createGuard(configWith({ limits: ONCE }), telemetry)
  t.after(() => guard.close())
  assert.throws(() => guard.identify({ authorization: 'Bearer wrong' }, undefined))
  await guard.admit(callerWith(), toolWith())
  await assert.rejects(guard.admit(callerWith(), toolWith()))
  const text = await telemetry.meters.scrape()
  assert.ok(text.includes(`${METRICS.authFailures.name}{reason="wrong"} 1\n`))
  assert.ok(text.includes(`${METRICS.rateLimited.name}{tool="clock"} 1\n`))
})
