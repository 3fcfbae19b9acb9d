import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, resolve } from 'node:path'
import type { Config } from './config.ts'
import { type Environment, hostEnvironment, unknownVariables, variable } from './environment.ts'
import { exposures, warnings } from './exposure.ts'
import { KEYS } from './keys.ts'
import { ConfigError, type Mistake } from './mistake.ts'
import { type Flags, override, unknownFlags } from './override.ts'
import { type Places, readSection } from './read.ts'
import { conflicts } from './rules.ts'
import { readYaml } from './yaml.ts'

export interface LoadOptions {
  /** By name without dashes, as they were given; `config` names the file. */
  readonly flags?: Flags
  /** Default: the environment of this process. */
  readonly env?: Environment
  /** Default: the current directory. */
  readonly cwd?: string
}

export interface Loaded {
  /** Frozen. */
  readonly config: Config
  /** Absolute path of the file that was read; null: none, all is default. */
  readonly file: string | null
  /** Sentences for the log. */
  readonly warnings: readonly string[]
}

/**
 * The configuration from flags, environment, file and defaults, in this order. The file is
 * `--config`, `TOOLGATE_CONFIG`, or `./config/gateway.yaml` if there is one. Throws a ConfigError
 * with all mistakes at once.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<Loaded> {
  const { flags = {}, env = hostEnvironment, cwd = process.cwd() } = options
  const mistakes: Mistake[] = [...unknownFlags(flags), ...unknownVariables(env)]
  const places: Places = new Map()
  const file = configurationFile(flags, env, cwd)
  const before = mistakes.length
  const source = file === null ? undefined : await readYaml(file, mistakes)
  const whole = mistakes.length === before
  const values = readSection(KEYS, override(source, flags, env, cwd), mistakes, places)
  // Of a file that is not there, or is no YAML, nothing more is known than that.
  if (whole) mistakes.push(...exposures(values, places), ...conflicts(values, places))
  const base = file === null ? cwd : projectFolder(file)
  const from = (path: string | undefined) => (path === undefined ? '' : resolve(base, path))
  const tools = from(values.tools)
  const cache = from(values.cache ?? cacheFolder(env))
  const known = tools !== '' && (whole || places.has('tools'))
  if (mistakes.length > 0)
    throw new ConfigError(inOrder(mistakes), known ? { tools, cache } : undefined)
  const workspace = from(values.workspace)
  const config: Config = { ...values, tools, workspace, cache, environment: { ...env } }
  return { config: freeze(config), file, warnings: warnings(config) }
}

/** What holds where a file cannot be read: every key's default, with paths as they are written. */
export function defaults() {
  return readSection(KEYS, undefined, [], new Map())
}

function configurationFile(flags: Flags, env: Environment, cwd: string): string | null {
  const named = typeof flags.config === 'string' ? flags.config : variable(env, 'TOOLGATE_CONFIG')
  if (named !== undefined) return resolve(cwd, named)
  const usual = resolve(cwd, 'config/gateway.yaml')
  return existsSync(usual) ? usual : null
}

/** Paths in a file are relative to its folder, or to what has `config/` if that is its folder. */
function projectFolder(file: string): string {
  const folder = dirname(file)
  return basename(folder) === 'config' ? dirname(folder) : folder
}

/** Flags and variables first, then as one reads the file. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const at = ({ place }: Mistake) => (place.line ?? 0) * 100_000 + (place.column ?? 0)
  return mistakes.toSorted((a, b) => at(a) - at(b))
}

function cacheFolder(env: Environment): string {
  const home = env.HOME || homedir()
  if (process.platform === 'darwin') return resolve(home, 'Library/Caches/toolgate')
  return resolve(env.XDG_CACHE_HOME || resolve(home, '.cache'), 'toolgate')
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
