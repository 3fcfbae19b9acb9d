import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rounds } from '../../../src/runtime/limits/rounds.ts'
import { until } from '../../harness/until.ts'

test('looks again and again at what is watched, sooner where something is near', async () => {
  const looks: { at: number; watched: readonly string[] }[] = []
  const rounds = new Rounds<string>(async (watched) => {
    looks.push({ at: performance.now(), watched })
    if (looks.length === 1) throw new Error('cannot be looked at')
    return looks.length === 2
  })
  rounds.add('a')
  rounds.add('b')
  rounds.delete('a')
  await until('three looks', () => looks.length === 3)
  rounds.delete('b')
  const [first, second, third] = looks.map(({ at }) => at) as [number, number, number]
  assert.deepEqual(looks[0]?.watched, ['b'])
  assert.ok(second - first > 400, 'each half second')
  assert.ok(third - second < 400, 'sooner')
})

test('a look at many takes many turns', async () => {
  const all = Array.from({ length: 100 }, (_, at) => at)
  let looked = 0
  const rounds = new Rounds<number>(async (watched, slice) => {
    for (const _ of watched) {
      const end = performance.now() + 1
      while (performance.now() < end);
      looked += 1
      if (slice.over) await slice.rest()
    }
    return false
  })
  for (const each of all) rounds.add(each)
  let turns = 0
  const count = setInterval(() => {
    turns += 1
  }, 1)
  await until('it begins', () => looked > 0)
  turns = 0
  await until('all were looked at', () => looked === 100)
  clearInterval(count)
  for (const each of all) rounds.delete(each)
  assert.ok(turns > 20, `${turns} turns of others`)
})
