import type { MetricRow } from './names.ts'

export type Labels = Readonly<Record<string, string>>

/**
 * One metric in the Prometheus text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), without its samples.
 */
export function writeHead({ name, type, help }: MetricRow): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
}

/** One sample; `name` may carry a histogram's suffix. */
export function writeSample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`)
  const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
  return `${name}${set} ${writeNumber(value)}\n`
}

/** Counts of each bucket (the last has no bound) as the cumulative samples Prometheus reads. */
export function writeHistogram(name: string, labels: Labels, histogram: Histogram): string {
  let text = ''
  let cumulative = 0
  histogram.counts.forEach((count, index) => {
    cumulative += count
    const bound = histogram.bounds[index]
    const le = bound === undefined ? '+Inf' : String(bound)
    text += writeSample(`${name}_bucket`, { ...labels, le }, cumulative)
  })
  text += writeSample(`${name}_sum`, labels, histogram.sum)
  return text + writeSample(`${name}_count`, labels, cumulative)
}

/** Counts by bucket; `counts` is one longer than `bounds`. */
export interface Histogram {
  readonly bounds: readonly number[]
  readonly counts: Float64Array
  sum: number
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
