import {
  decimalLogarithm,
  exponential,
  naturalLogarithm,
  realPower,
  root,
  squareRoot,
} from './approximate.ts'
import {
  add,
  compare,
  divide,
  type Exact,
  floor,
  format,
  integer,
  isInteger,
  multiply,
  negate,
  parse,
  roundPlaces,
  subtract,
  truncate,
} from './exact.ts'

export const OPERATOR_NAMES = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'modulo',
  'power',
  'root',
  'sqrt',
  'exp',
  'ln',
  'log10',
  'negate',
  'absolute',
  'min',
  'max',
  'round',
  'floor',
  'ceiling',
  'truncate',
] as const

export type OperatorName = (typeof OPERATOR_NAMES)[number]

/** Applies one operator to decimal texts; rounds once, at the end, to `precision` digits. */
export function calculate(operator: OperatorName, texts: string[], precision: number): string {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  if (length > MAX_LENGTH) {
    throw new Error(`The operands have ${length} characters together; at most ${MAX_LENGTH}.`)
  }
  return format(apply(operator, texts.map(parse), precision), precision)
}

/** Applies one operator to `operands`; throws where their number does not suit it. */
export function apply(operator: OperatorName, operands: Exact[], precision: number): Exact {
  const { least, most, run } = OPERATORS[operator]
  if (operands.length < least || operands.length > most) {
    throw new Error(`${operator} takes ${count(least, most)}, not ${operands.length}.`)
  }
  return run(operands, precision)
}

/** Most characters of all operands of one call. */
export const MAX_LENGTH = 200_000

interface Operator {
  /** How many operands it takes. */
  readonly least: number
  readonly most: number
  run(operands: Exact[], precision: number): Exact
}

const OPERATORS: Record<OperatorName, Operator> = {
  add: fold(add),
  subtract: fold(subtract),
  multiply: fold(multiply),
  divide: fold(divide),
  modulo: binary(modulo),
  power: binary(power),
  root: binary((x, n, precision) => root(x, degree(n), precision)),
  sqrt: unary(squareRoot),
  exp: unary(exponential),
  ln: unary(naturalLogarithm),
  log10: unary(decimalLogarithm),
  negate: unary(negate),
  absolute: unary((x) => (x.num < 0n ? negate(x) : x)),
  min: { ...fold((a, b) => (compare(b, a) < 0 ? b : a)), least: 1 },
  max: { ...fold((a, b) => (compare(b, a) > 0 ? b : a)), least: 1 },
  round: { least: 1, most: 2, run: ([x = ZERO, places = ZERO]) => roundPlaces(x, at(places)) },
  floor: unary(floor),
  ceiling: unary((x) => negate(floor(negate(x)))),
  truncate: unary(truncate),
}

const ZERO = integer(0)

function fold(step: (a: Exact, b: Exact) => Exact): Operator {
  return { least: 2, most: Number.POSITIVE_INFINITY, run: (operands) => operands.reduce(step) }
}

function unary(run: (x: Exact, precision: number) => Exact): Operator {
  return { least: 1, most: 1, run: ([x = ZERO], precision) => run(x, precision) }
}

function binary(run: (a: Exact, b: Exact, precision: number) => Exact): Operator {
  return { least: 2, most: 2, run: ([a = ZERO, b = ZERO], precision) => run(a, b, precision) }
}

/** The rest that leaves a whole quotient cut towards zero; it has the sign of `a`. */
function modulo(a: Exact, b: Exact): Exact {
  return subtract(a, multiply(truncate(divide(a, b)), b))
}

function power(base: Exact, y: Exact, precision: number): Exact {
  if (y.num === 0n) return integer(1)
  if (base.num === 0n) return y.num < 0n ? divide(integer(1), base) : base
  const whole = isInteger(y) ? y.num / y.den : undefined
  if (whole !== undefined && isSmall(base, whole)) return wholePower(base, whole)
  if (base.num > 0n) return realPower(base, y, precision)
  if (whole === undefined) {
    throw new Error('A negative number has a real power only for a whole exponent.')
  }
  const size = realPower(negate(base), y, precision)
  return whole % 2n === 0n ? size : negate(size)
}

/** Whether the power is short enough to be held whole, without rounding. */
function isSmall(base: Exact, whole: bigint): boolean {
  const digits = Math.max(base.num.toString().length, base.den.toString().length)
  return BigInt(digits) * (whole < 0n ? -whole : whole) <= 20_000n
}

function wholePower(base: Exact, whole: bigint): Exact {
  const size = whole < 0n ? -whole : whole
  const result = { num: base.num ** size, den: base.den ** size }
  return whole < 0n ? divide(integer(1), result) : result
}

function degree(n: Exact): number {
  const degree = Number(n.num / n.den)
  if (!isInteger(n) || degree < 1 || degree > 1000) {
    throw new Error('The degree of a root is a whole number from 1 to 1000.')
  }
  return degree
}

function at(places: Exact): number {
  const number = Number(places.num / places.den)
  if (!isInteger(places) || Math.abs(number) > 1000) {
    throw new Error('The places to round to are a whole number from -1000 to 1000.')
  }
  return number
}

function count(least: number, most: number): string {
  if (most === Number.POSITIVE_INFINITY) return `at least ${operands(least)}`
  return least === most ? operands(least) : `${least} to ${operands(most)}`
}

function operands(number: number): string {
  return number === 1 ? '1 operand' : `${number} operands`
}
