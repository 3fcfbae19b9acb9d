/** Median with the range it was taken from. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Null for no values, or where any is null: a figure that is not known whole is not shown. */
export function figureOf(values: readonly (number | null)[]): Figure | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0 || known.length < values.length) return null
  const sorted = known.sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), min: sorted[0] as number, max: sorted.at(-1) as number }
}

/** `at` from 0 to 1, of values sorted ascending. */
export function quantile(sorted: readonly number[], at: number): number {
  const place = (sorted.length - 1) * at
  const low = sorted[Math.floor(place)] ?? Number.NaN
  const high = sorted[Math.ceil(place)] ?? Number.NaN
  return low + (high - low) * (place - Math.floor(place))
}
