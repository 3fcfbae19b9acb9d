import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Program } from './driver.ts'
import { type ProcessOptions, startProcess } from './start.ts'
import type { ToolProcess } from './process.ts'

export interface BareOptions extends Omit<ProcessOptions, 'program' | 'args' | 'cwd' | 'env'> {
  readonly config: Config
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** Starts a tool without a cell, as its file or the configuration says: in its folder, no more. */
export async function startBare(
  tool: Declaration,
  { program, args }: Program,
  { config, variables, ...options }: BareOptions,
): Promise<ToolProcess> {
  const folder = join(config.workspace, tool.name)
  await mkdir(folder, { recursive: true })
  return startProcess({
    ...options,
    program,
    args: args.map((arg) => arg.replaceAll('{workspace}', () => folder)),
    cwd: folder,
    env: { HOME: folder, ...namedIn(config.environment, [...BASE, ...tool.policy.env]), ...variables },
  })
}

/** Starts an inline tool that is given nothing under Node's own permissions, where no cell can be. */
export function startPermitted(
  { program, args, needs = [] }: Program,
  { config, variables, ...options }: BareOptions,
): Promise<ToolProcess> {
  const reads = needs.map((path) => `--allow-fs-read=${path}`)
  return startProcess({
    ...options,
    program,
    args: ['--permission', ...reads, ...args],
    cwd: config.cache,
    env: { ...variables },
  })
}

function namedIn(environment: Config['environment'], names: readonly string[]) {
  const found: Record<string, string> = {}
  for (const name of names) {
    const value = environment[name]
    if (value !== undefined) found[name] = value
  }
  return found
}

/** What a process needs to find programs and write scratch files. */
const BASE =
  process.platform === 'win32'
    ? ['PATH', 'PATHEXT', 'SystemRoot', 'TEMP', 'TMP', 'USERPROFILE', 'APPDATA']
    : ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']
