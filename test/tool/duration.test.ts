import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from '../../src/tool/duration.ts'

test('a duration is read in milliseconds', () => {
  for (const [text, milliseconds] of [
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1.5s', 1_500],
    ['0s', 0],
  ] as const)
    assert.equal(parseDuration(text), milliseconds)
})

test('a duration without a unit, with an unknown unit, negative or with noise is refused', () => {
  for (const text of ['', '30', '-1s', '30 s', '1d', '1e3s', '1s2m', '0x1s', 's', '1h\n2'])
    assert.throws(() => parseDuration(text), {
      name: 'RangeError',
      message: /500ms, 30s, 5m or 1h/,
    })
  for (const value of [30, null, undefined, {}])
    assert.throws(() => parseDuration(value), { name: 'TypeError', message: /with its unit/ })
})

test('a duration that no timer can wait for is refused', () => {
  assert.throws(() => parseDuration('999999h'), { name: 'RangeError', message: /24 days/ })
})
