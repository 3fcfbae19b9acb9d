import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSize } from '../../src/tool/size.ts'

test('a size is read in bytes, by 1,024', () => {
  for (const [text, bytes] of [
    ['512B', 512],
    ['64KB', 65_536],
    ['1MB', 1_048_576],
    ['16MB', 16_777_216],
    ['1GB', 1_073_741_824],
    ['0.5KB', 512],
  ] as const)
    assert.equal(parseSize(text), bytes)
})

test('a size without a unit, in another case, negative or too large is refused', () => {
  for (const text of ['', '64', '64kb', '-1MB', '1 MB', '1TB', 'MB'])
    assert.throws(() => parseSize(text), { name: 'RangeError', message: /64KB, 16MB or 1GB/ })
  assert.throws(() => parseSize(1024), { name: 'TypeError', message: /with its unit/ })
  assert.throws(() => parseSize('999999999999GB'), { name: 'RangeError', message: /counted/ })
})
