import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Expected } from '../../src/pool/expected.ts'

function after(most: number, ...hellos: (string | undefined)[]): Expected {
  const expected = new Expected(most)
  // Each is expected once it has been said twice.
  for (const hello of new Set(hellos)) expected.note(hello)
  for (const hello of hellos) expected.note(hello)
  return expected
}

test('before anybody has come a spare is told nothing', () => {
  assert.equal(after(2).scarcest([]), undefined)
})

test('what was said once is not expected, and takes nobody’s place', () => {
  const expected = after(1, 'ann')
  assert.equal(expected.note('bob'), false)
  assert.equal(expected.scarcest([]), 'ann')
  assert.equal(expected.note('bob'), true)
  assert.equal(expected.scarcest([]), 'bob')
})

test('what was of no use is not expected until it is said twice again', () => {
  const expected = after(2, 'ann', 'bob')
  expected.forget('bob')
  assert.equal(expected.scarcest([]), 'ann')
  assert.equal(expected.note('bob'), false)
})

test('a spare is for whom there are the fewest, of several for the last that came', () => {
  assert.equal(after(3, 'ann').scarcest(['ann', 'ann']), 'ann')
  assert.equal(after(3, 'ann', 'bob').scarcest([]), 'bob')
  assert.equal(after(3, 'ann', 'bob').scarcest(['bob']), 'ann')
  assert.equal(after(3, 'ann', 'bob', 'ann').scarcest(['bob', 'ann']), 'ann')
  assert.equal(after(3, 'ann', undefined).scarcest(['ann']), undefined)
})

test('who came before the last few is not expected any more', () => {
  assert.equal(after(2, 'ann', 'bob', 'eve').scarcest(['bob', 'eve', 'eve']), 'bob')
})

test('what nobody is expected for is dispensable, else one of several that are alike', () => {
  assert.equal(after(2, 'ann', 'bob', 'eve').dispensable(['bob', 'ann']), 1)
  assert.equal(after(2, 'ann', 'bob').dispensable(['ann', 'ann']), 1)
  assert.equal(after(2, 'ann', 'bob').dispensable(['ann']), -1)
  assert.equal(after(2, 'ann', 'bob').dispensable([]), -1)
})
