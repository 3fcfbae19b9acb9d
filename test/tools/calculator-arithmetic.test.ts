import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  calculate,
  OPERATOR_NAMES,
  type OperatorName,
} from '../../tools.d/_calculator/operators.ts'
import { decimals } from './decimals.ts'

type Row = [operator: OperatorName, operands: string[], result: string, precision?: number]

const ROWS: Row[] = [
  ['add', ['1.2', '2.3'], '3.5'],
  ['add', ['0.1', '0.2'], '0.3'],
  ['add', ['1e999', '1', '-1e999'], '1'],
  ['add', ['-0', '0'], '0'],
  ['add', ['.5', '+00.50'], '1'],
  ['add', ['9999999999999999999999999999', '1'], '10000000000000000000000000000'],
  ['subtract', ['10', '3', '2'], '5'],
  ['subtract', ['1', '1.0'], '0'],
  ['multiply', ['1.10', '1.10'], '1.21'],
  ['multiply', ['1e999', '1e999', '1e-999', '1e-999'], '1'],
  ['multiply', ['-3', '0'], '0'],
  ['divide', ['1', '3'], '0.3', 1],
  ['divide', ['1', '3'], `0.${'3'.repeat(28)}`],
  ['divide', ['1', '3'], `0.${'3'.repeat(100)}`, 100],
  ['divide', ['2', '3'], `0.${'6'.repeat(27)}7`],
  ['divide', ['100', '5', '2'], '10'],
  ['divide', ['1', '3', '3'], '0.1111', 4],
  ['divide', ['-1', '8'], '-0.125'],
  ['modulo', ['7', '3'], '1'],
  ['modulo', ['-7', '3'], '-1'],
  ['modulo', ['7.5', '-2'], '1.5'],
  ['power', ['2', '10'], '1024'],
  ['power', ['2', '-2'], '0.25'],
  ['power', ['-2', '3'], '-8'],
  ['power', ['0', '0'], '1'],
  ['power', ['1.1', '10'], '2.5937424601'],
  ['power', ['4', '0.5'], '2'],
  ['power', ['2', '0.5'], '1.414213562373095048801688724'],
  ['power', ['1', '1e999'], '1'],
  ['power', ['-1', '999999999999'], '-1'],
  ['power', ['1.0000001', '10000000'], '2.718281692544966271198550226'],
  ['root', ['27', '3'], '3'],
  ['root', ['-27', '3'], '-3'],
  ['root', ['0', '7'], '0'],
  ['root', ['2', '1'], '2'],
  ['sqrt', ['2'], '1.414213562373095048801688724'],
  ['sqrt', ['0.25'], '0.5'],
  ['sqrt', ['0'], '0'],
  ['exp', ['1'], '2.718281828459045235360287471'],
  ['exp', ['0'], '1'],
  ['ln', ['1'], '0'],
  ['ln', ['10'], '2.302585092994045684017991455'],
  ['log10', ['1000'], '3'],
  ['log10', ['1e-999'], '-999'],
  ['log10', ['2'], '0.3010299956639811952137388947'],
  ['negate', ['0'], '0'],
  ['negate', ['-5.50'], '5.5'],
  ['absolute', ['-5'], '5'],
  ['min', ['3', '-1', '2'], '-1'],
  ['max', ['3', '-1', '2'], '3'],
  ['max', ['3'], '3'],
  ['floor', ['-1.5'], '-2'],
  ['ceiling', ['-1.5'], '-1'],
  ['ceiling', ['1.2'], '2'],
  ['truncate', ['-1.9'], '-1'],
]

const NO_ANSWER: [operator: OperatorName, operands: string[], message: RegExp][] = [
  ['divide', ['1', '0'], /^Error: Division by zero\.$/],
  ['modulo', ['1', '0.0'], /Division by zero/],
  ['power', ['0', '-1'], /Division by zero/],
  ['power', ['-2', '0.5'], /only for a whole exponent/],
  ['power', ['10', '999999999'], /out of range/],
  ['power', ['10', '1e999'], /out of range/],
  ['power', ['10', '1000'], /out of range/],
  ['power', ['0.1', '1001'], /out of range/],
  ['exp', ['1e9'], /out of range/],
  ['exp', ['-1e9'], /out of range/],
  ['multiply', ['1e999', '1e999'], /out of range/],
  ['add', ['1e9999', '1'], /out of range/],
  ['sqrt', ['-1'], /square root of a negative number/],
  ['root', ['-4', '2'], /even root of a negative number/],
  ['root', ['4', '0'], /degree of a root is a whole number from 1 to 1000/],
  ['root', ['4', '1.5'], /degree of a root/],
  ['ln', ['0'], /needs a number above 0/],
  ['log10', ['-1'], /needs a number above 0/],
  ['round', ['1', '0.5'], /places to round to are a whole number/],
  ['round', ['1', '1e6'], /places to round to are a whole number/],
  ['add', ['1'], /^Error: add takes at least 2 operands, not 1\.$/],
  ['negate', ['1', '2'], /^Error: negate takes 1 operand, not 2\.$/],
  ['round', ['1', '2', '3'], /^Error: round takes 1 to 2 operands, not 3\.$/],
  ['add', ['1,5', '1'], /"1,5" is no decimal number such as/],
  ['add', ['NaN', '1'], /no decimal number/],
  ['add', ['0x10', '1'], /no decimal number/],
  ['add', ['', '1'], /no decimal number/],
  ['add', ['1'.repeat(1201), '1'], /at most 1200 characters/],
  ['add', Array.from({ length: 1000 }, () => '1'.repeat(1000)), /characters together; at most/],
]

for (const [operator, operands, result, precision = 28] of ROWS) {
  test(`${operator} ${operands.join(' ')} at ${precision} digits is ${result.slice(0, 40)}`, () => {
    assert.equal(calculate(operator, operands, precision), result)
  })
}

for (const [operator, operands, message] of NO_ANSWER) {
  test(`${operator} ${operands.join(' ').slice(0, 40)} says why it has no answer`, () => {
    assert.throws(() => calculate(operator, operands, 28), message)
  })
}

test('round goes half to even, whatever the sign', () => {
  const rounded = ['0.5', '1.5', '2.5', '-0.5', '-1.5', '-2.5', '2.51'].map((value) =>
    calculate('round', [value], 28),
  )
  assert.deepEqual(rounded, ['0', '2', '2', '0', '-2', '-2', '3'])
  assert.equal(calculate('round', ['2.345', '2'], 28), '2.34')
  assert.equal(calculate('round', ['2.355', '2'], 28), '2.36')
  assert.equal(calculate('round', ['1250', '-2'], 28), '1200')
})

test('precision rounds the result once, half to even', () => {
  assert.equal(calculate('add', ['1.25', '0'], 2), '1.2')
  assert.equal(calculate('add', ['1.35', '0'], 2), '1.4')
  assert.equal(calculate('add', ['12345', '0'], 2), '12000')
  assert.equal(calculate('add', ['9.99', '0'], 2), '10')
  assert.equal(calculate('add', ['0.44', '0.01'], 1), '0.4')
  assert.equal(calculate('sqrt', ['2.25'], 1), '2', 'the true 1.5 is a tie')
  assert.equal(calculate('root', ['3.375', '3'], 1), '2', 'the true 1.5 is a tie')
})

test('every result may be an operand again', () => {
  for (const value of ['9.9e999', '1e-1000', '-1.234567890123456789e-999']) {
    const text = calculate('add', [value, '0'], 100)
    assert.equal(calculate('add', [text, '0'], 100), text)
  }
})

test('adding and then subtracting a number gives back the other', () => {
  const next = decimals(1)
  for (let round = 0; round < 300; round += 1) {
    const [a, b] = [next(), next()]
    const sum = calculate('add', [a, b], 100)
    assert.equal(calculate('subtract', [sum, b], 100), calculate('add', [a, '0'], 100))
  }
})

test('the order of added and multiplied numbers does not matter', () => {
  const next = decimals(2)
  for (let round = 0; round < 200; round += 1) {
    const operands = [next(), next(), next()]
    const turned = operands.toReversed()
    assert.equal(calculate('add', operands, 7), calculate('add', turned, 7))
    assert.equal(calculate('multiply', operands, 7), calculate('multiply', turned, 7))
  }
})

test('a root of a power is the number again, and a higher precision only adds digits', () => {
  const next = decimals(3)
  for (let round = 0; round < 60; round += 1) {
    const x = calculate('absolute', [next()], 12)
    if (x === '0') continue
    assert.equal(calculate('sqrt', [calculate('power', [x, '2'], 100)], 50), x)
    const short = calculate('ln', [x], 20)
    assert.equal(calculate('add', [calculate('ln', [x], 100), '0'], 20), short)
  }
})

test('every operator answers or refuses the widest operands', () => {
  const wide = ['9'.repeat(1000), `1.${'3'.repeat(1100)}`, '1e-1000', '-7e998', '1e1000']
  for (const operator of OPERATOR_NAMES) {
    for (const a of wide) {
      for (const operands of [[a], ...wide.map((b) => [a, b])]) {
        try {
          assert.ok(calculate(operator, operands, 100).length <= 1200)
        } catch (error) {
          assert.match(String(error), /^Error: /)
        }
      }
    }
  }
})
