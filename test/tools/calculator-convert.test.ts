import assert from 'node:assert/strict'
import { test } from 'node:test'
import { convert } from '../../tools.d/_calculator/convert.ts'
import { calculate } from '../../tools.d/_calculator/operators.ts'
import { DIMENSIONS, UNITS } from '../../tools.d/_calculator/units.ts'
import { decimals } from './decimals.ts'

const KNOWN: [value: string, from: string, to: string, result: string][] = [
  ['1', 'mi', 'km', '1.609344'],
  ['1', 'in', 'cm', '2.54'],
  ['6', 'feet', 'm', '1.8288'],
  ['1', 'lb', 'g', '453.59237'],
  ['1', 'st', 'lb', '14'],
  ['1', 'lb', 'oz', '16'],
  ['2', 'days', 'h', '48'],
  ['100', '°C', '°F', '212'],
  ['-40', 'degF', 'degC', '-40'],
  ['0', 'K', 'celsius', '-273.15'],
  ['1', 'acre', 'ft2', '43560'],
  ['1', 'mi²', 'acre', '640'],
  ['1', 'gal_us', 'L', '3.785411784'],
  ['1', 'gal_us', 'floz_us', '128'],
  ['1', 'm3', 'litres', '1000'],
  ['36', 'km/h', 'm/s', '10'],
  ['1', 'atm', 'Pa', '101325'],
  ['760', 'Torr', 'atm', '1'],
  ['1', 'psi', 'Pa', '6894.757293168361336722673445'],
  ['1', 'kWh', 'MJ', '3.6'],
  ['1', 'BTU', 'J', '1055.05585262'],
  ['1', 'hp', 'W', '745.69987158227022'],
  ['1', 'GiB', 'MB', '1073.741824'],
  ['1', 'B', 'bit', '8'],
  ['180', 'deg', 'rad', '3.141592653589793238462643383'],
  ['1', 'turn', 'grad', '400'],
]

for (const [value, from, to, result] of KNOWN) {
  test(`${value} ${from} is ${result} ${to}`, () => {
    assert.equal(convert(value, from, to, 28).result, result)
  })
}

test('the answer names the units by symbol, and what they measure', () => {
  assert.deepEqual(convert('1', 'Miles', 'kilometer', 28), {
    result: '1.609344',
    from: 'mi',
    to: 'km',
    dimension: 'length',
  })
})

test('units that measure different things cannot be converted', () => {
  assert.throws(() => convert('1', 'kg', 'm', 28), {
    message: 'Cannot convert kg (mass) to m (length): a mass is no length.',
  })
})

test('an unknown unit is refused with units that come near it', () => {
  assert.throws(() => convert('1', 'kilometrs', 'm', 28), /"kilometrs"\. Did you mean "km" or /)
  assert.throws(() => convert('1', 'gallon', 'L', 28), /Did you mean "gal_us" or "gal_uk"\?/)
  assert.throws(() => convert('1', 'm', 'qqqqqqqq', 28), {
    message: 'Unknown unit "qqqqqqqq". The function "units" lists all.',
  })
})

test('case decides between units, and is asked for where it would', () => {
  assert.equal(convert('1', 'MW', 'W', 28).result, '1000000')
  assert.equal(convert('1', 'mW', 'W', 28).result, '0.001')
  assert.throws(() => convert('1', 'mw', 'W', 28), /Did you mean "mW" or "MW"\?/)
  assert.equal(convert('1', 'KM', 'm', 28).result, '1000')
})

test('no two units share a name', () => {
  const names = DIMENSIONS.flatMap((dimension) =>
    UNITS[dimension].flatMap(({ symbol, name, aliases }) => [
      ...new Set([symbol, name, ...aliases]),
    ]),
  )
  assert.equal(new Set(names).size, names.length)
})

test('every unit converts to its base unit and back without loss', () => {
  const next = decimals(11)
  for (const dimension of DIMENSIONS) {
    const base = UNITS[dimension][0]?.symbol ?? ''
    for (const { symbol } of UNITS[dimension]) {
      const value = calculate('add', [next(), '0'], 28)
      const there = convert(value, symbol, base, 100).result
      assert.equal(convert(there, base, symbol, 28).result, value, `${value} ${symbol}`)
    }
  }
})
