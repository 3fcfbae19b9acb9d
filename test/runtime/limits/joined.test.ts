import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinGroups } from '../../../src/runtime/limits/joined.ts'
import type { LimitGroup } from '../../../src/runtime/limits/limits.ts'

test('several keepers act as one, and whoever finds a breach is heard', async () => {
  const told: string[] = []
  const keeper = (name: string, breach?: string): LimitGroup => ({
    entrance: [`${name}:enter`],
    enter: async (pids) => void told.push(`${name} enters ${pids}`),
    breach: () => breach,
    onBreach: (end) => end(name),
    usage: () => (name === 'b' ? { cpu: 1, memory: null } : null),
    members: () => [name.charCodeAt(0)],
    remove: async () => void told.push(`${name} is removed`),
  })
  const group = joinGroups([keeper('a'), keeper('b', 'too much')])
  await group.enter([2, 3])
  group.onBreach((why) => told.push(`end by ${why}`))
  await group.remove()
  assert.equal(group.breach(), 'too much')
  assert.deepEqual(group.usage(), { cpu: 1, memory: null })
  assert.deepEqual(group.members(), [97])
  assert.deepEqual(told, [
    'a enters 2,3',
    'b enters 2,3',
    'end by a',
    'end by b',
    'a is removed',
    'b is removed',
  ])
})
