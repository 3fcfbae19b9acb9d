import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate } from '../../tools.d/_calculator/expression.ts'

const VALUES: [expression: string, value: string][] = [
  ['1 + 2 * 3', '7'],
  ['(1 + 2) * 3', '9'],
  ['0.1 + 0.2', '0.3'],
  ['1/3*3', '1'],
  ['10 - 3 - 2', '5'],
  ['100 / 5 / 2', '10'],
  ['2 ^ 3 ^ 2', '512'],
  ['-2^2', '-4'],
  ['(-2)^2', '4'],
  ['2^-1', '0.5'],
  ['--3', '3'],
  ['+.5', '0.5'],
  ['1.5e3', '1500'],
  ['  7  ', '7'],
  ['sqrt(2)^2', '2'],
  ['max(1, 2, 3) - min(4, 5)', '-1'],
  ['abs(-3) + mod(7, 4) + ceil(0.5)', '7'],
  ['round(2.345, 2)', '2.34'],
  ['pi', '3.141592653589793238462643383'],
  ['ln(e)', '1'],
]

for (const [expression, value] of VALUES) {
  test(`${expression} is ${value}`, () => {
    assert.equal(evaluate(expression, 28), value)
  })
}

const MISTAKES: [expression: string, message: RegExp][] = [
  ['1 +', /ends too early/],
  ['', /ends too early/],
  ['1 2', /Unexpected "2" at column 3/],
  ['1 $ 2', /Unexpected "\$" at column 3/],
  ['(1', /ends where \) is expected/],
  ['max(1 2)', /Expected \) at column 7, not "2"/],
  ['sqrt 2', /Expected \( at column 6/],
  ['process(1)', /Unknown name "process" at column 1/],
  ['constructor(1)', /Unknown name "constructor"/],
  ['1 / (2 - 2)', /Division by zero/],
  ['sqrt(1, 2)', /sqrt takes 1 operand, not 2/],
  ['9^9^9^9', /out of range/],
  ['(10^900)^(10^900)', /out of range/],
  [`${'('.repeat(400)}1`, /nested deeper than 64 levels/],
  ['-'.repeat(999), /nested deeper than 64 levels/],
]

for (const [expression, message] of MISTAKES) {
  test(`${expression.slice(0, 30) || 'nothing'} says what is wrong with it`, () => {
    assert.throws(() => evaluate(expression, 28), message)
  })
}

test('numbers that would grow without end are refused', () => {
  const step = '1.23456789^999'
  const expression = Array.from({ length: 66 }, () => step).join('*')
  assert.throws(() => evaluate(expression, 28), /more than 200000 digits|out of range/)
})
