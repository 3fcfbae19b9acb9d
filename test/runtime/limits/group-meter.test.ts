import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupMeter } from '../../../src/runtime/limits/group-meter.ts'
import type { Accounts, LimitGroup } from '../../../src/runtime/limits/limits.ts'

test('the kernel’s accounts go before what was seen of processes; reading costs no look', () => {
  let looks = 0
  let accounts: Accounts | null = { cpu: 1e9, memory: null }
  const usage = () => {
    looks += 1
    return accounts
  }
  const meter = new GroupMeter({ usage } as LimitGroup, process.pid)
  assert.deepEqual([meter.usage], [null])
  meter.sample()
  const seen = meter.usage
  assert.equal(seen?.cpu, 1e9)
  if (process.platform === 'linux') assert.ok(seen?.memory && seen.read)
  accounts = { cpu: 2e9, memory: 5 }
  assert.equal(meter.usage?.cpu, 1e9)
  meter.end()
  assert.deepEqual({ cpu: meter.usage?.cpu, memory: meter.usage?.memory }, { cpu: 2e9, memory: 5 })
  accounts = null
  meter.sample()
  assert.equal(meter.usage?.cpu, 2e9)
  assert.equal(looks, 3)
})
