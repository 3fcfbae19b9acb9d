import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statistics } from '../../tools.d/_calculator/statistics.ts'
import { decimals } from './decimals.ts'

test('every figure of a known list is right', () => {
  assert.deepEqual(statistics(['2', '4', '4', '4', '5', '5', '7', '9'], 28), {
    count: 8,
    sum: '40',
    mean: '5',
    median: '4.5',
    modes: ['4'],
    min: '2',
    max: '9',
    range: '7',
    quartiles: {
      method: 'linear (Hyndman-Fan type 7)',
      q1: '4',
      q2: '4.5',
      q3: '5.5',
      interquartile_range: '1.5',
    },
    population: { variance: '4', standard_deviation: '2' },
    sample: {
      variance: '4.571428571428571428571428571',
      standard_deviation: '2.138089935299395077476427847',
    },
  })
})

test('decimals are summed exactly, in any order', () => {
  const values = ['0.1', '0.2', '0.3', '1e20', '-1e20']
  assert.equal(statistics(values, 28).sum, '0.6')
  assert.deepEqual(statistics(values, 28), statistics(values.toReversed(), 28))
})

test('values far from zero keep their variance', () => {
  const values = ['1000000000000000000000000000001', '1000000000000000000000000000003']
  assert.deepEqual(statistics(values, 28).population, { variance: '1', standard_deviation: '1' })
})

test('one value has no sample figures', () => {
  const one = statistics(['1.50'], 28)
  assert.equal(one.mean, '1.5')
  assert.deepEqual(one.modes, [])
  assert.deepEqual(one.population, { variance: '0', standard_deviation: '0' })
  assert.equal('sample' in one, false)
})

test('several modes come in ascending order, each once', () => {
  assert.deepEqual(statistics(['3', '1', '3.0', '1.00', '2'], 28).modes, ['1', '3'])
  assert.deepEqual(statistics(['3', '1', '2'], 28).modes, [])
  assert.deepEqual(statistics(['5', '5', '1', '1', '1'], 28).modes, ['1'])
})

test('quartiles of four values lie between them', () => {
  const { q1, q2, q3 } = statistics(['1', '2', '3', '4'], 28).quartiles
  assert.deepEqual([q1, q2, q3], ['1.75', '2.5', '3.25'])
})

test('figures are rounded once, to the precision asked for', () => {
  const { mean, sample } = statistics(['1', '1', '2'], 3)
  assert.equal(mean, '1.33')
  assert.deepEqual(sample, { variance: '0.333', standard_deviation: '0.577' })
})

test('moving all values moves the mean and leaves the spread', () => {
  const next = decimals(7)
  for (let round = 0; round < 40; round += 1) {
    const values = Array.from({ length: 9 }, () => String((Number(next()) % 1000) | 0))
    const moved = values.map((value) => String(Number(value) + 1000))
    const [before, after] = [statistics(values, 40), statistics(moved, 40)]
    assert.equal(Number(after.sum), Number(before.sum) + 9000)
    assert.deepEqual(after.population, before.population)
    assert.equal(after.range, before.range)
  }
})

test('what is no number, or too much, is refused', () => {
  assert.throws(() => statistics(['1', 'one'], 28), /"one" is no decimal number/)
  const many = Array.from({ length: 300 }, () => '1'.repeat(1000))
  assert.throws(() => statistics(many, 28), /at most 200000/)
  assert.throws(() => statistics(['1e900', '0'], 28), /out of range/)
})
