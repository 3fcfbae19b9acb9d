import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasLongNumber, parseExact } from '../../src/protocol/exact-json.ts'
import { seeded } from './random.ts'

test('any compact JSON is written as it was read', () => {
  const random = seeded(5)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const digits = (most: number) =>
    Array.from({ length: 1 + Math.floor(random() * most) }, () => pick([...'0123456789'])).join('')
  const number = () =>
    pick(['', '-']) +
    pick(['0', `${pick([...'123456789'])}${digits(20)}`, '7']) +
    pick(['', '', `.${digits(20)}`]) +
    pick(['', '', `${pick(['e', 'E'])}${pick(['', '+', '-'])}${digits(3)}`])
  const string = () => JSON.stringify(pick(['', '"', '\\', number(), `",${number()}`, 'é\n']))
  const value = (depth: number): string => {
    if (depth === 0 || random() < 0.3) return pick([number(), string(), 'true', 'null'])
    if (random() < 0.5) return `[${value(depth - 1)},${value(depth - 1)}]`
    return `{${string()}:${value(depth - 1)}}`
  }
  for (let round = 0; round < 3000; round++) {
    const text = value(4)
    assert.equal(JSON.stringify(parseExact(text)), text)
    if (!hasLongNumber(text)) assert.equal(JSON.stringify(JSON.parse(text)), text)
  }
})

test('a text that holds no JSON throws as JSON.parse does', () => {
  for (const text of ['', '{', '[1.0', '1e5e5']) {
    assert.throws(() => parseExact(text), SyntaxError)
  }
})
