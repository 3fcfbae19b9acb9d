import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Expected } from '../../src/pool/expected.ts'

function after(most: number, ...hellos: (string | undefined)[]): Expected {
  const expected = new Expected(most)
  for (const hello of hellos) expected.note(hello)
  return expected
}

test('before anybody has come a spare is told nothing', () => {
  assert.equal(after(2).scarcest([]), undefined)
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
  assert.equal(after(2, 'ann', 'bob').dispensable(['ann', 'ann']), 0)
  assert.equal(after(2, 'ann', 'bob').dispensable(['ann']), -1)
  assert.equal(after(2, 'ann', 'bob').dispensable([]), -1)
})
