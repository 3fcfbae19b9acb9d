import { parseArgs } from 'node:util'
import type { Flags } from '../config/override.ts'
import { withSuggestion } from '../tool/closest.ts'
import { UsageError } from './usage-error.ts'

/** Flags that take a value, and those that take none, by name without dashes. */
export interface Known {
  readonly values?: readonly string[]
  readonly switches?: readonly string[]
}

/** The flags that every command with a configuration takes. */
export const CONFIG_FLAGS: Known = {
  values: ['config', 'tools', 'workspace', 'host', 'port', 'metrics-port'],
  switches: ['unauthenticated'],
}

/** Flags and the rest of a command line. Flags that are not known are there too, as `true`. */
export function splitArguments(args: readonly string[], known: Known) {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: false,
    options: Object.fromEntries([
      ...(known.values ?? []).map((name) => [name, { type: 'string' }] as const),
      ...(known.switches ?? []).map((name) => [name, { type: 'boolean' }] as const),
    ]),
  })
  return { flags: values as Flags, positionals }
}

/** As `splitArguments`, but a flag that is not known, or has no value, is a UsageError. */
export function splitStrictly(args: readonly string[], known: Known) {
  const { flags, positionals } = splitArguments(args, known)
  const names = [...(known.values ?? []), ...(known.switches ?? [])]
  for (const [name, value] of Object.entries(flags)) {
    if (!names.includes(name))
      throw new UsageError(withSuggestion(`there is no flag --${name}`, name, names))
    if (known.values?.includes(name) && typeof value !== 'string')
      throw new UsageError(`--${name} needs a value`)
  }
  const text = (name: string) => {
    const value = flags[name]
    return typeof value === 'string' ? value : undefined
  }
  return { flags, positionals, text }
}

/** Refuses what stands after a command that takes nothing but flags. */
export function refuseRest(positionals: readonly string[]): void {
  if (positionals.length > 0)
    throw new UsageError(`"${positionals.join(' ')}" is not expected here`)
}

/** The part of `--help` on the flags of a configuration. */
export const CONFIG_HELP = `  --config FILE         the configuration; default ./config/gateway.yaml if it is there
  --tools DIR           the tools folder
  --workspace DIR       each tool has its own folder below this one
  --host HOST           address of the gateway
  --port PORT           port of the gateway; 0 picks a free one
  --metrics-port PORT   port of /metrics; 0 picks a free one, off has none
  --unauthenticated     lets a public address be opened without keys

Each but the last is also a variable: TOOLGATE_CONFIG, _TOOLS, _WORKSPACE, _HOST, _PORT,
_METRICS_PORT. A flag goes before its variable, and a variable before the file.`
