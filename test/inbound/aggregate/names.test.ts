import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listNames } from '../../../src/inbound/aggregate/names.ts'

const own = (tool: string, name: string) => ({ tool, name })
/** The listed name of each, as `tool/name: listed`. */
function named(...all: { tool: string; name: string }[]): Record<string, string> {
  return Object.fromEntries(
    Array.from(listNames(all), ([listed, { tool, name }]) => [`${tool}/${name}`, listed]),
  )
}

test('a function is named after its tool and itself', () => {
  assert.deepEqual(named(own('files', 'read_file')), { 'files/read_file': 'files__read_file' })
})

test('dots and whatever else no model provider takes become underscores', () => {
  const names = named(own('a', 'b.c'), own('a', 'd e/ü😀'))
  assert.deepEqual(names, { 'a/b.c': 'a__b_c', 'a/d e/ü😀': 'a__d_e___' })
})

test('what is too long is cut to 64 characters and ends with a hash, always the same', () => {
  const long = own('t'.repeat(64), 'f'.repeat(64))
  const other = own('t'.repeat(64), `${'f'.repeat(63)}g`)
  const names = named(long, other)
  const [one = '', two = ''] = Object.values(names)
  assert.equal(one.length, 64)
  assert.equal(two.length, 64)
  assert.notEqual(one, two)
  assert.match(one, /^t{55}_[A-Za-z0-9_-]{8}$/)
  assert.deepEqual(named(other, long), names)
})

test('of two that would be named alike, the one that needs no change keeps the name', () => {
  const names = named(own('a', 'b.c'), own('a', 'b_c'))
  assert.equal(names['a/b_c'], 'a__b_c')
  assert.match(String(names['a/b.c']), /^a__b_c_[A-Za-z0-9_-]{8}$/)
  assert.deepEqual(named(own('a', 'b_c'), own('a', 'b.c')), names)
})

test('where both need no change, neither keeps the name: no stale list calls the other', () => {
  const names = named(own('a', '_b'), own('a_', 'b'), own('a', '.b'))
  assert.equal(new Set(Object.values(names)).size, 3)
  for (const name of Object.values(names)) assert.match(name, /^a___b_[A-Za-z0-9_-]{8}$/)
})

test('a function named like the hashed name of another takes it from nobody', () => {
  const before = named(own('a', 'b.c'), own('a', 'b_c'))
  const stolen = String(before['a/b.c']).slice('a__'.length)
  const names = named(own('a', stolen), own('a', 'b.c'), own('a', 'b_c'))
  assert.equal(names['a/b.c'], before['a/b.c'])
  assert.notEqual(names[`a/${stolen}`], before['a/b.c'])
})

test('however many collide, every name is another, short enough, and the same in any order', () => {
  const parts = ['_', '.', ' ', 'a', 'x'.repeat(70)]
  const all = ['a', 'a_', 'b'].flatMap((tool) =>
    parts.flatMap((one) => parts.map((two) => own(tool, one + two))),
  )
  const names = named(...all)
  assert.equal(Object.keys(names).length, all.length)
  assert.equal(new Set(Object.values(names)).size, all.length)
  for (const name of Object.values(names)) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/)
  assert.deepEqual(named(...all.toReversed()), names)
})

test('what a tool lists twice is there once', () => {
  const [first, second] = [own('a', 'b'), own('a', 'b')]
  const names = listNames([first, second])
  assert.deepEqual([...names], [['a__b', first]])
})
