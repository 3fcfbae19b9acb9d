import {
  type Histogram,
  type Labels,
  writeHead,
  writeHistogram,
  writeSample,
} from './exposition.ts'
import type { MetricRow } from './names.ts'

/** Numbers that only grow, one for each set of label values. Plain maps: no SDK on the hot path. */
export class Counter {
  readonly #row: MetricRow
  readonly #labels: readonly string[]
  readonly #series = new Map<string, { readonly labels: Labels; value: number }>()

  constructor(row: MetricRow, labels: readonly string[]) {
    this.#row = row
    this.#labels = labels
  }

  /** `values` in the order of the labels. Bounded: the values past `MOST` series share one. */
  add(...values: string[]): void {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n')
    const series = this.#series.get(key) ?? this.#begin(key, values)
    series.value += 1
  }

  write(): string {
    let text = writeHead(this.#row)
    for (const { labels, value } of this.#series.values()) {
      text += writeSample(this.#row.name, labels, value)
    }
    return text
  }

  #begin(key: string, values: readonly string[]): { readonly labels: Labels; value: number } {
    if (this.#series.size >= MOST && key !== OTHER) {
      return (
        this.#series.get(OTHER) ??
        this.#begin(
          OTHER,
          values.map(() => OTHER),
        )
      )
    }
    const labels = Object.fromEntries(this.#labels.map((label, at) => [label, values[at] ?? '']))
    const series = { labels, value: 0 }
    this.#series.set(key, series)
    return series
  }
}

/** Durations by tool, in buckets of seconds. */
export class Durations {
  readonly #row: MetricRow
  readonly #bounds: readonly number[]
  readonly #tools = new Map<string, Histogram>()

  constructor(row: MetricRow, bounds: readonly number[]) {
    this.#row = row
    this.#bounds = bounds
  }

  record(tool: string, seconds: number): void {
    const histogram = this.#tools.get(tool) ?? this.#begin(tool)
    const { bounds, counts } = histogram
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket += 1
    counts[bucket] = (counts[bucket] ?? 0) + 1
    histogram.sum += seconds
  }

  write(): string {
    let text = writeHead(this.#row)
    for (const [tool, histogram] of this.#tools) {
      text += writeHistogram(this.#row.name, { tool }, histogram)
    }
    return text
  }

  #begin(tool: string): Histogram {
    if (this.#tools.size >= MOST && tool !== OTHER) {
      return this.#tools.get(OTHER) ?? this.#begin(OTHER)
    }
    const counts = new Float64Array(this.#bounds.length + 1)
    const histogram = { bounds: this.#bounds, counts, sum: 0 }
    this.#tools.set(tool, histogram)
    return histogram
  }
}

/** Series of one metric; past it they are counted together under the label value `OTHER`. */
export const MOST = 2000
export const OTHER = '_other'
