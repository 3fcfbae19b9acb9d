import type { Findings, Goal, Row } from '../measure/measure.ts'
import type { Figure } from '../measure/stats.ts'
import type { Target } from '../targets/targets.ts'
import type { Stamp } from './stamp.ts'

/** One run, as it is kept in JSON. */
export interface Report extends Findings {
  readonly stamp: Stamp
  readonly targets: readonly Pick<Target, 'name' | 'label'>[]
  /** What was not measured, and why. */
  readonly skipped: readonly string[]
}

export type Verdict = 'reached' | 'short' | 'n/a'

export function verdictOf({ value, limit }: Goal): Verdict {
  if (value === null) return 'n/a'
  return value.median <= limit ? 'reached' : 'short'
}

/** The run as Markdown that can be read as it stands. */
export function toMarkdown({ stamp, goals, rows, targets, skipped }: Report): string {
  const shown = targets.filter(({ name }) => rows.some(({ figures }) => name in figures))
  const goalTable = table(
    ['to reach', 'made of', 'measured', 'at most', 'verdict'],
    goals.map((goal) => [goal.what, goal.of, withUnit(goal), limitOf(goal), markOf(goal)]),
  )
  const rowTable = table(
    ['median [min … max]', 'unit', ...shown.map(({ label }) => label)],
    rows.map((row) => [row.what, row.unit, ...shown.map(({ name }) => cell(row, name))]),
  )
  const facts = { commit: stamp.commit, flags: stamp.flags, ...stamp.machine, ...stamp.versions }
  return [
    `# Benchmark of ${stamp.date.slice(0, 16).replace('T', ' ')} UTC`,
    Object.entries(facts)
      .map(([name, value]) => `${name}: ${value}`)
      .join(' · '),
    '## To reach',
    goalTable,
    '## Figures',
    rowTable,
    ...skipped.map((words) => `Skipped: ${words}`),
    '',
  ].join('\n\n')
}

function markOf(goal: Goal): string {
  return { reached: '✓ reached', short: '✗ short', 'n/a': '– n/a' }[verdictOf(goal)]
}

function withUnit({ value, unit }: Goal): string {
  return value === null ? 'n/a' : `${range(value)} ${unit}`.trim()
}

function limitOf({ limit, unit }: Goal): string {
  return `${limit} ${unit}`.trim()
}

function cell({ figures }: Row, name: Target['name']): string {
  const figure: Figure | null | undefined = figures[name]
  if (!figure) return name in figures ? 'n/a' : ''
  return range(figure)
}

function range({ median, min, max }: Figure): string {
  return min === max ? digits(median) : `${digits(median)} [${digits(min)} … ${digits(max)}]`
}

function digits(value: number): string {
  if (Number.isInteger(value)) return String(value)
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...body.map((row) => row[at]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    `| ${row.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [
    line(head),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...body.map(line),
  ].join('\n')
}
