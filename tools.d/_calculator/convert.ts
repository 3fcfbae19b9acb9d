import { pi } from './approximate.ts'
import { add, divide, type Exact, format, integer, multiply, parse, subtract } from './exact.ts'
import { DIMENSIONS, type Dimension, UNITS, type Unit } from './units.ts'

export interface Conversion {
  result: string
  from: string
  to: string
  dimension: Dimension
}

/** `text` of one unit in another of the same dimension, rounded once; `from` and `to` as symbols. */
export function convert(text: string, from: string, to: string, precision: number): Conversion {
  const source = find(from)
  const target = find(to)
  if (source.dimension !== target.dimension) {
    throw new Error(
      `Cannot convert ${named(source)} to ${named(target)}: a ${source.dimension} is no ${target.dimension}.`,
    )
  }
  const factor = (unit: Unit) => product(unit.factor, precision)
  const base = multiply(add(parse(text), parse(source.unit.offset)), factor(source.unit))
  const value = subtract(divide(base, factor(target.unit)), parse(target.unit.offset))
  return {
    result: format(value, precision),
    from: source.unit.symbol,
    to: target.unit.symbol,
    dimension: source.dimension,
  }
}

interface Found {
  readonly dimension: Dimension
  readonly unit: Unit
}

/** By symbol or name as written, else in any case where that leaves one unit. */
function find(text: string): Found {
  const wanted = text.trim()
  const exact = NAMES.get(wanted)
  if (exact !== undefined) return exact
  const folded = FOLDED.get(fold(wanted)) ?? []
  const [only, ...others] = folded
  if (only !== undefined && others.length === 0) return only
  const near = only === undefined ? nearest(wanted) : folded.map(({ unit }) => unit.symbol)
  const hint = near.length === 0 ? '' : ` Did you mean ${near.map(quote).join(' or ')}?`
  throw new Error(`Unknown unit ${quote(wanted)}.${hint} The function "units" lists all.`)
}

const ALL: readonly Found[] = DIMENSIONS.flatMap((dimension) =>
  UNITS[dimension].map((unit) => ({ dimension, unit })),
)

const NAMES: ReadonlyMap<string, Found> = new Map(
  ALL.flatMap((found) => namesOf(found.unit).map((name) => [name, found] as const)),
)

const FOLDED: ReadonlyMap<string, readonly Found[]> = byFolded()

function byFolded(): Map<string, Found[]> {
  const folded = new Map<string, Found[]>()
  for (const [name, found] of NAMES) {
    const same = folded.get(fold(name)) ?? []
    if (!same.includes(found)) same.push(found)
    folded.set(fold(name), same)
  }
  return folded
}

function namesOf({ symbol, name, aliases }: Unit): string[] {
  return [symbol, name, ...aliases]
}

/** One text for `Metres`, `metres` and `metre`. */
function fold(name: string): string {
  const lower = name.toLowerCase().replaceAll(/[\s_]+/g, ' ')
  return lower.length > 3 && lower.endsWith('s') ? lower.slice(0, -1) : lower
}

/** Up to three symbols whose names hold the text or are a slip of the pen away, nearest first. */
function nearest(wanted: string): string[] {
  const text = fold(wanted)
  const most = Math.max(1, Math.floor(text.length / 3))
  return ALL.map(({ unit }, order) => {
    const distances = namesOf(unit).map((name) => slip(text, fold(name)))
    return { symbol: unit.symbol, order, distance: Math.min(...distances) }
  })
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance || a.order - b.order)
    .slice(0, 3)
    .map(({ symbol }) => symbol)
}

function slip(wanted: string, name: string): number {
  return wanted.length > 2 && name.includes(wanted) ? 1 : distance(wanted, name)
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The value of a factor such as `0.3048*0.3048` or `180/pi`, exact but for pi. */
function product(factor: string, precision: number): Exact {
  const [first = '1', ...rest] = factor.split(/(?=[*/])/)
  const read = (text: string) => (text === 'pi' ? pi(precision) : parse(text))
  return rest.reduce(
    (value, step) => {
      const operand = read(step.slice(1))
      return step.startsWith('*') ? multiply(value, operand) : divide(value, operand)
    },
    first === '' ? integer(1) : read(first),
  )
}

function named({ unit, dimension }: Found): string {
  return `${unit.symbol} (${dimension})`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
