import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ring } from '../src/ring.ts'

test('what was added is found by its number until it is taken, and by nothing else', () => {
  const ring = new Ring<string>()
  const keys = ['a', 'b'].map((value) => ring.add(value))
  assert.deepEqual(
    keys.map((key) => ring.get(key)),
    ['a', 'b'],
  )
  for (const other of [0, -1, 1.5, 65, Number.NaN, '1', null, undefined, {}])
    assert.equal(ring.get(other), undefined, String(other))
  assert.equal(ring.take(keys[0]), 'a')
  assert.equal(ring.take(keys[0]), undefined)
  assert.deepEqual([ring.size, ring.keys(), ring.values()], [1, [keys[1]], ['b']])
})

test('numbers rise and never come again, however much comes and goes beside what stays', () => {
  const ring = new Ring<number>()
  const staying = new Map<number, number>()
  const coming = new Map<number, number>()
  let last = 0
  for (let value = 1; value <= 20_000; value += 1) {
    const key = ring.add(value)
    assert.ok(key > last, `${key} after ${last}`)
    last = key
    ;(value % 100 === 0 ? staying : coming).set(key, value)
    if (coming.size > 50) {
      const [oldest = 0] = coming.keys()
      assert.equal(ring.take(oldest), coming.get(oldest))
      coming.delete(oldest)
    }
  }
  const all = new Map([...staying, ...coming])
  assert.equal(ring.size, all.size)
  for (const [key, value] of all) assert.equal(ring.get(key), value)
  assert.deepEqual(new Set(ring.keys()), new Set(all.keys()))
  assert.deepEqual(new Set(ring.values()), new Set(all.values()))
})
