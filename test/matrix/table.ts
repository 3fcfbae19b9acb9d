import { FEATURES } from './features.ts'
import { REFUSALS, type Refusal } from './refusals.ts'

/** Of each client, what became of each feature. */
export type Measured = ReadonlyMap<string, ReadonlyMap<string, Outcome>>

export type Outcome = 'yes' | 'lacking' | Refusal | { readonly failed: string }

const NAMES = Object.keys(FEATURES)

/** One table for each tool, in Markdown; what is refused has the number of its reason. */
export function tableOf(tools: ReadonlyMap<string, Measured>): string {
  const parts = [...tools].map(([tool, clients]) => {
    const rows = [...clients].map(([client, outcomes]) =>
      row([client, ...NAMES.map((name) => cell(outcomes.get(name)))]),
    )
    const head = [row(['', ...NAMES]), row(['---', ...NAMES.map(() => '---')])]
    return [`### ${tool}`, '', ...head, ...rows].join('\n')
  })
  const reasons = REFUSALS.map(({ reason }, index) => `${index + 1}. ${reason}`)
  return [...parts, reasons.join('\n')].join('\n\n')
}

function cell(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'not tried'
  if (outcome === 'yes') return 'yes'
  if (outcome === 'lacking') return '–'
  return 'failed' in outcome ? 'fails' : `no (${REFUSALS.indexOf(outcome) + 1})`
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
