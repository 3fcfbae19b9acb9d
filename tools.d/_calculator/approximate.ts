import { Decimal } from 'decimal.js'
import {
  compare,
  type Exact,
  integer,
  MAX_EXPONENT,
  outOfRange,
  parse,
  roundDigits,
} from './exact.ts'

/**
 * What no fraction can hold. Results carry `precision` digits and 30 more, so that rounding them
 * again to `precision` gives the true digits; a result that is exact stays exact.
 */
export function squareRoot(x: Exact, precision: number): Exact {
  if (x.num < 0n) throw new Error('The square root of a negative number is not real.')
  return approximate(precision, (decimal) => decimal(x).sqrt())
}

/** The `n`th root; a negative `x` has one where `n` is odd. */
export function root(x: Exact, n: number, precision: number): Exact {
  if (x.num === 0n) return x
  if (x.num < 0n && n % 2 === 0) throw new Error('An even root of a negative number is not real.')
  return approximate(precision, (decimal) => {
    const size = decimal(x).abs().ln().div(n).exp()
    return x.num < 0n ? size.neg() : size
  })
}

export function exponential(x: Exact, precision: number): Exact {
  if (x.num === 0n) return integer(1)
  return approximate(precision, (decimal) => inRange(decimal(x)).exp())
}

export function naturalLogarithm(x: Exact, precision: number): Exact {
  positive(x)
  return approximate(precision, (decimal) => decimal(x).ln())
}

export function decimalLogarithm(x: Exact, precision: number): Exact {
  positive(x)
  return approximate(precision, (decimal) => decimal(x).log())
}

/** `base` to the power `y` by logarithms; `base` is positive. */
export function realPower(base: Exact, y: Exact, precision: number): Exact {
  positive(base)
  return approximate(precision, (decimal) => {
    return inRange(decimal(base).ln().times(decimal(y))).exp()
  })
}

/** π, to `precision` digits and 30 more. */
export function pi(precision: number): Exact {
  return approximate(precision, (decimal) => decimal(integer(-1)).acos())
}

const KEPT = 30
const GUARD = 15
// Enough for every text that can be an operand; a fraction such as 1/3 is cut here.
const ARGUMENT_DIGITS = 1300

function approximate(
  precision: number,
  run: (decimal: (value: Exact) => Decimal) => Decimal,
): Exact {
  const Working = Decimal.clone({
    defaults: true,
    precision: precision + KEPT + GUARD,
    rounding: Decimal.ROUND_HALF_EVEN,
  })
  const result = run((value) => toDecimal(Working, value))
  if (!result.isFinite() || Math.abs(result.e) > MAX_EXPONENT) throw outOfRange()
  // The guard digits go first: 1.4999…9 that stands for 1.5 must be 1.5 when it is rounded again.
  return roundDigits(parse(result.toExponential()), precision + KEPT)
}

function toDecimal(Working: typeof Decimal, value: Exact): Decimal {
  if (value.num === 0n) return new Working(0)
  const { num, den } = roundDigits(value, ARGUMENT_DIGITS)
  // A power of ten below the line: an exponent, not a division, which would round.
  return new Working(`${num}e-${den.toString().length - 1}`)
}

/** An exponent of e whose power can still be written. */
function inRange(power: Decimal): Decimal {
  if (power.abs().gt(MAX_EXPONENT * 2.31)) throw outOfRange()
  return power
}

function positive(x: Exact): void {
  if (compare(x, integer(0)) <= 0) throw new Error('The logarithm needs a number above 0.')
}
