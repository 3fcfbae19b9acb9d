import { squareRoot } from './approximate.ts'
import {
  add,
  compare,
  divide,
  type Exact,
  floor,
  format,
  integer,
  multiply,
  parse,
  subtract,
} from './exact.ts'
import { MAX_LENGTH } from './operators.ts'

export interface Statistics {
  count: number
  sum: string
  mean: string
  median: string
  modes: string[]
  min: string
  max: string
  range: string
  quartiles: { method: string; q1: string; q2: string; q3: string; interquartile_range: string }
  population: Spread
  /** Left out for a single value. */
  sample?: Spread
}

interface Spread {
  variance: string
  standard_deviation: string
}

/** Linear interpolation between the closest ranks, both ends included. */
export const QUARTILE_METHOD = 'linear (Hyndman-Fan type 7)'

/** Describes `texts`, at least one decimal; every figure is exact until it is written. */
export function statistics(texts: string[], precision: number): Statistics {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  if (length > MAX_LENGTH) {
    throw new Error(`The values have ${length} characters together; at most ${MAX_LENGTH}.`)
  }
  const values = sameDenominator(texts.map(parse)).sort(compare)
  const write = (value: Exact) => format(value, precision)

  const count = integer(values.length)
  const sum = values.reduce(add)
  const least = quantile(values, 0)
  const greatest = quantile(values, 4)
  const [q1, q2, q3] = [quantile(values, 1), quantile(values, 2), quantile(values, 3)]
  const deviation = squaredDeviation(values, sum)
  const spread = (divisor: number): Spread => {
    const variance = divide(deviation, integer(divisor))
    return {
      variance: write(variance),
      standard_deviation: write(squareRoot(variance, precision)),
    }
  }

  return {
    count: values.length,
    sum: write(sum),
    mean: write(divide(sum, count)),
    median: write(q2),
    modes: modes(values).map(write),
    min: write(least),
    max: write(greatest),
    range: write(subtract(greatest, least)),
    quartiles: {
      method: QUARTILE_METHOD,
      q1: write(q1),
      q2: write(q2),
      q3: write(q3),
      interquartile_range: write(subtract(q3, q1)),
    },
    population: spread(values.length),
    ...(values.length > 1 && { sample: spread(values.length - 1) }),
  }
}

/** Decimals over one power of ten, so that adding and comparing them are one step each. */
function sameDenominator(values: Exact[]): Exact[] {
  const den = values.map((value) => value.den).reduce((a, b) => (a % b === 0n ? a : b))
  return values.map((value) => ({ num: value.num * (den / value.den), den }))
}

/** The `fourth`th quarter point of ascending `values`. */
function quantile(values: Exact[], fourth: number): Exact {
  const position = divide(integer((values.length - 1) * fourth), integer(4))
  const below = floor(position)
  const index = Number(below.num)
  const low = values[index] ?? integer(0)
  const high = values[index + 1] ?? low
  return add(low, multiply(subtract(high, low), subtract(position, below)))
}

/** The sum of the squared distances from the mean: Σx² - (Σx)²/n. */
function squaredDeviation(values: Exact[], sum: Exact): Exact {
  const squares = values.map((value) => multiply(value, value)).reduce(add)
  return subtract(squares, divide(multiply(sum, sum), integer(values.length)))
}

/** What occurs most often, ascending; nothing where no value occurs twice. */
function modes(values: Exact[]): Exact[] {
  let most = 2
  let found: Exact[] = []
  let run = 0
  for (const [index, value] of values.entries()) {
    const before = values[index - 1]
    run = before !== undefined && compare(before, value) === 0 ? run + 1 : 1
    if (run > most) found = []
    if (run >= most) found.push(value)
    most = Math.max(most, run)
  }
  return found
}
