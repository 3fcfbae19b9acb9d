import { stat } from 'node:fs/promises'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { describeError } from '../registry/describe-error.ts'
import type { Cell } from '../runtime/cell/cell.ts'
import { withSuggestion } from '../tool/closest.ts'
import type { Declaration } from '../tool/declaration.ts'
import { CONFIG_FLAGS, CONFIG_HELP, splitStrictly } from './arguments.ts'
import { silent } from './silent.ts'
import { UsageError } from './usage-error.ts'

export const help = `Usage: toolgate explain TOOL [options]

Prints what a tool is given and denied on this host, line by line: what, how much, and what
enforces it. Exit code 1 where something cannot be enforced, so that the tool does not start.

  --json                as JSON: sandbox, lines, refusals

${CONFIG_HELP}`

export async function run(args: readonly string[]): Promise<number> {
  const known = { ...CONFIG_FLAGS, switches: [...(CONFIG_FLAGS.switches ?? []), 'json'] }
  const { flags, positionals } = splitStrictly(args, known)
  const [name, ...rest] = positionals
  if (name === undefined || rest.length > 0) throw new UsageError('expected TOOL')
  const { json, ...others } = flags
  const { config } = await loadConfig({ flags: others })
  const tool = await readTool(name, config)
  if (tool === undefined) return 1
  const { cellOf } = await import('../runtime/cells.ts')
  const cell = await cellOf(tool, config)
  const { kind, lines, refusals } = cell
  console.log(
    json === true
      ? JSON.stringify({ sandbox: kind, lines, refusals }, null, 2)
      : tableOf(tool, cell),
  )
  for (const refusal of json === true ? [] : refusals) console.error(`does not start: ${refusal}`)
  return refusals.length === 0 ? 0 : 1
}

/** Undefined where there is none or it has a mistake, which has been said. */
async function readTool(name: string, config: Config): Promise<Declaration | undefined> {
  const { tools, cache } = config
  if (!(await stat(tools).catch(() => undefined))?.isDirectory()) {
    console.error(`${tools}: there is no such folder; expected the tools folder`)
    return undefined
  }
  const { openRegistry } = await import('../registry/open.ts')
  const { describingLaunch } = await import('../runtime/describing.ts')
  const launch = describingLaunch(config)
  const registry = await openRegistry({ folder: tools, cache, log: silent, watch: false, launch })
  try {
    await registry.settled
    const entry = registry.get(name)
    const names = registry.list().map((each) => each.name)
    if (entry === undefined)
      console.error(withSuggestion(`there is no tool "${name}"`, name, names))
    for (const mistake of entry?.errors ?? []) console.error(describeError(mistake))
    return entry?.declaration
  } finally {
    await registry.close()
  }
}

function tableOf({ name, runtime, mode }: Declaration, { kind, lines }: Cell): string {
  const width = Math.max(...lines.map(({ what }) => Math.min(what.length, WIDEST)))
  const rows = lines.map(
    ({ what, rule, by }) => `  ${what.padEnd(width)}  ${rule}  [${by ?? 'not enforced'}]`,
  )
  return [`${name}  ${runtime.kind}  ${mode}  sandbox: ${kind}`, ...rows].join('\n')
}

const WIDEST = 40
