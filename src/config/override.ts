import { resolve } from 'node:path'
import { withSuggestion } from '../tool/closest.ts'
import { type Environment, variable } from './environment.ts'
import { OVERRIDES } from './keys.ts'
import type { Mistake } from './mistake.ts'
import type { Entry, Found } from './yaml.ts'

/** Flags by name without dashes, as they were given; `true` where no value followed. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>

const FOLDERS: readonly string[] = ['tools', 'workspace', 'cache']

/** What was found in the file, with what flags and variables say laid over it. */
export function override(file: Found | undefined, flags: Flags, env: Environment, cwd: string) {
  let found = file
  for (const { flag, variable: name, path } of OVERRIDES) {
    const text = name && variable(env, name)
    const given = flag && flags[flag]
    const [raw, source] =
      given !== undefined ? [given, `--${flag}`] : text !== undefined ? [text, name] : []
    if (source === undefined) continue
    // `--port` at the end of the line has no value; `--unauthenticated` needs none.
    const value = raw === true && path !== 'unauthenticated' ? '' : raw
    const absolute = FOLDERS.includes(path) && typeof value === 'string' && value !== ''
    found = laid(found, path.split('.'), absolute ? resolve(cwd, value) : value, source)
  }
  return found
}

/** One mistake for each flag that does not exist, and for `--config` without its value. */
export function unknownFlags(flags: Flags): Mistake[] {
  const known = ['config', ...OVERRIDES.flatMap(({ flag }) => flag ?? [])]
  const mistakes = Object.keys(flags)
    .filter((flag) => flags[flag] !== undefined && !known.includes(flag))
    .map((flag) => ({
      place: { source: `--${flag}` },
      path: '',
      message: withSuggestion('there is no such flag', flag, known),
      expected: `one of --${known.join(', --')}`,
    }))
  if (flags.config !== undefined && typeof flags.config !== 'string')
    mistakes.push({
      place: { source: '--config' },
      path: '',
      message: 'found nothing',
      expected: 'the path of a YAML file',
    })
  return mistakes
}

function laid(
  below: Found | undefined,
  [name = '', ...rest]: readonly string[],
  value: unknown,
  source: string,
): Found {
  const place = { source }
  // What is no map in the file stays, and is read as the mistake that it is.
  if (below && below.value !== null && !(below.value instanceof Map)) return below
  const entries = new Map<string, Entry>(below?.value as ReadonlyMap<string, Entry> | null)
  const inner = rest.length === 0 ? { place, value } : laid(entries.get(name), rest, value, source)
  entries.set(name, { ...inner, key: place })
  return { place: below?.place ?? place, value: entries }
}
