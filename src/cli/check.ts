import { stat } from 'node:fs/promises'
import { hostEnvironment } from '../config/environment.ts'
import { defaults, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/mistake.ts'
import { describeError } from '../registry/describe-error.ts'
import type { ToolEntry } from '../registry/registry.ts'
import { CONFIG_FLAGS, CONFIG_HELP, refuseRest, splitArguments } from './arguments.ts'
import { silent } from './silent.ts'

export const help = `Usage: toolgate check [options]

Validates the configuration and every tool file, and prints all mistakes at once. Exit code 1 on
any, else 0 and the list of tools.

${CONFIG_HELP}`

export async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals } = splitArguments(args, CONFIG_FLAGS)
  const mistakes: string[] = []
  const folders = await loadConfig({ flags }).then(
    ({ config, warnings }) => {
      for (const warning of warnings) console.error(`warning: ${warning}`)
      return config
    },
    (error) => {
      if (!(error instanceof ConfigError)) throw error
      mistakes.push(...error.message.split('\n'))
      return error.folders
    },
  )
  if (mistakes.length === 0) refuseRest(positionals)
  const tools = folders === undefined ? [] : await describeTools(folders, mistakes)
  for (const mistake of mistakes) console.error(mistake)
  if (mistakes.length > 0) return 1
  for (const { name, declaration } of tools)
    console.log(`${name}  ${declaration?.runtime.kind}  ${declaration?.description}`)
  console.log(`${tools.length} ${tools.length === 1 ? 'tool' : 'tools'}, no mistakes`)
  return 0
}

async function describeTools(
  folders: { readonly tools: string; readonly cache: string },
  mistakes: string[],
): Promise<readonly ToolEntry[]> {
  const { tools, cache } = folders
  if (!(await stat(tools).catch(() => undefined))?.isDirectory()) {
    mistakes.push(`${tools}: there is no such folder; expected the tools folder`)
    return []
  }
  const { openRegistry } = await import('../registry/open.ts')
  const { describingLaunch } = await import('../runtime/describing.ts')
  // Where the configuration is broken, its defaults confine the reading all the same.
  const launch = describingLaunch({ ...defaults(), environment: hostEnvironment, ...folders })
  const registry = await openRegistry({ folder: tools, cache, log: silent, watch: false, launch })
  try {
    await registry.settled
    const entries = registry.list()
    for (const { errors, error } of entries)
      mistakes.push(...(errors ?? (error ? [error] : [])).map(describeError))
    return entries
  } finally {
    await registry.close()
  }
}
