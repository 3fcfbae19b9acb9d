/**
 * Exact rational numbers, `num / den` with `den > 0`. Nothing is rounded until `format` or one of
 * the `round` functions is called; every rounding is half to even.
 */
export interface Exact {
  readonly num: bigint
  readonly den: bigint
}

/** What is accepted as a number: digits, an optional fraction, an optional exponent. */
export const DECIMAL = /^[+-]?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d{1,4})?$/

/** Longest text of one number; every result is short enough to be an operand again. */
export const MAX_TEXT = 1200

/** Powers of ten between which a result that is not 0 must lie. */
export const MAX_EXPONENT = 1000

/** Reads a decimal text; throws on any other text. */
export function parse(text: string): Exact {
  if (text.length > MAX_TEXT) throw new Error(`A number has at most ${MAX_TEXT} characters.`)
  if (!DECIMAL.test(text)) {
    throw new Error(`${JSON.stringify(text)} is no decimal number such as "-12.5" or "6.02e23".`)
  }
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const shift = Number(exponent) - fraction.length
  if (Math.abs(Number(exponent)) > MAX_EXPONENT) throw outOfRange()
  const unsigned = BigInt(whole.replace(/^[+-]/, '') + fraction)
  const digits = whole.startsWith('-') ? -unsigned : unsigned
  return shift < 0 ? { num: digits, den: tenTo(-shift) } : { num: digits * tenTo(shift), den: 1n }
}

/**
 * Writes `value` with at most `precision` significant digits as the one text it has: no exponent,
 * no plus sign, no trailing zeros, no `-0`.
 */
export function format(value: Exact, precision: number): string {
  const { num, den } = roundDigits(value, precision)
  if (num === 0n) return '0'
  // roundDigits leaves a power of ten below the line.
  const places = den.toString().length - 1
  const digits = absolute(num)
    .toString()
    .padStart(places + 1, '0')
  if (digits.length - places > MAX_EXPONENT || (places > MAX_EXPONENT && tooSmall(num, den))) {
    throw outOfRange()
  }
  const whole = digits.slice(0, digits.length - places)
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return `${num < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

export function integer(value: number): Exact {
  return { num: BigInt(value), den: 1n }
}

export function add(a: Exact, b: Exact): Exact {
  if (a.den === b.den) return bounded(a.num + b.num, a.den)
  // Powers of ten divide each other, so sums of decimals keep a small denominator.
  if (a.den % b.den === 0n) return bounded(a.num + b.num * (a.den / b.den), a.den)
  if (b.den % a.den === 0n) return bounded(a.num * (b.den / a.den) + b.num, b.den)
  return bounded(a.num * b.den + b.num * a.den, a.den * b.den)
}

export function subtract(a: Exact, b: Exact): Exact {
  return add(a, negate(b))
}

export function multiply(a: Exact, b: Exact): Exact {
  return bounded(a.num * b.num, a.den * b.den)
}

/** Throws where `b` is 0. */
export function divide(a: Exact, b: Exact): Exact {
  if (b.num === 0n) throw new Error('Division by zero.')
  const sign = b.num < 0n ? -1n : 1n
  return bounded(a.num * b.den * sign, a.den * b.num * sign)
}

export function negate(a: Exact): Exact {
  return { num: -a.num, den: a.den }
}

/** -1, 0 or 1. */
export function compare(a: Exact, b: Exact): number {
  const difference = a.den === b.den ? a.num - b.num : a.num * b.den - b.num * a.den
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export function isInteger(a: Exact): boolean {
  return a.num % a.den === 0n
}

/** Towards negative infinity. */
export function floor(a: Exact): Exact {
  const quotient = a.num / a.den
  return { num: a.num % a.den < 0n ? quotient - 1n : quotient, den: 1n }
}

/** Towards zero. */
export function truncate(a: Exact): Exact {
  return { num: a.num / a.den, den: 1n }
}

/** Half to even, to `places` digits after the point; negative places round to tens, hundreds … */
export function roundPlaces(a: Exact, places: number): Exact {
  const scale = tenTo(Math.abs(places))
  return places >= 0
    ? { num: halfEven(a.num * scale, a.den), den: scale }
    : { num: halfEven(a.num, a.den * scale) * scale, den: 1n }
}

/** Half to even, to `digits` significant digits. */
export function roundDigits(a: Exact, digits: number): Exact {
  if (a.num === 0n) return a
  return roundPlaces(a, digits - 1 - exponent(a))
}

/** The exponent of the first digit: 0 for 1 to 9.99…, -1 for 0.1 to 0.99…; `a` is not 0. */
function exponent(a: Exact): number {
  const num = absolute(a.num)
  const guess = num.toString().length - a.den.toString().length
  const reached = guess >= 0 ? num >= a.den * tenTo(guess) : num * tenTo(-guess) >= a.den
  return reached ? guess : guess - 1
}

export function outOfRange(): Error {
  return new Error(
    `The result is out of range: it must be 0 or lie between 1e-${MAX_EXPONENT} and 1e${MAX_EXPONENT}.`,
  )
}

// About 210,000 decimal digits: what a call may hold in one number and still end in time.
const LIMIT = 1n << 700_000n

function bounded(num: bigint, den: bigint): Exact {
  if (num >= LIMIT || num <= -LIMIT || den >= LIMIT) {
    throw new Error('The calculation needs numbers with more than 200000 digits.')
  }
  return { num, den }
}

function halfEven(num: bigint, den: bigint): bigint {
  const quotient = num / den
  const twice = absolute(num % den) * 2n
  const up = twice > den || (twice === den && quotient % 2n !== 0n)
  return up ? quotient + (num < 0n ? -1n : 1n) : quotient
}

function tooSmall(num: bigint, den: bigint): boolean {
  return absolute(num) * tenTo(MAX_EXPONENT) < den
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}

function tenTo(power: number): bigint {
  return 10n ** BigInt(power)
}
