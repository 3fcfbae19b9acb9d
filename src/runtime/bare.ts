import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { ToolProcess } from './process.ts'
import { type ProcessOptions, startProcess } from './start.ts'
import type { Program, StartOptions } from './starting.ts'
import { openWorkspace } from './workspace.ts'

export interface BareOptions extends Omit<ProcessOptions, 'program' | 'args' | 'cwd' | 'env'> {
  readonly config: Config
  readonly owner: StartOptions['owner'] | undefined
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** Starts a tool without a cell, as its file or the configuration says: in its folder, no more. */
export async function startBare(
  tool: Declaration,
  { program, args }: Program,
  { config, owner, variables, ...options }: BareOptions,
): Promise<ToolProcess> {
  const { access, per } = tool.policy.workspace
  const workspace = await openWorkspace({
    root: config.workspace,
    tool: tool.name,
    // Somewhere it has to be, and nothing keeps it from writing there.
    workspace: access === 'none' ? { access: 'read-write', per: 'tool' } : { access, per },
    owner,
    user: null,
    log: options.log,
  })
  const folder = workspace.folder ?? join(config.workspace, tool.name)
  try {
    const started = await startProcess({
      ...options,
      program,
      args: args.map((arg) => arg.replaceAll('{workspace}', () => folder)),
      cwd: folder,
      env: {
        HOME: folder,
        ...namedIn(config.environment, [...BASE, ...tool.policy.env]),
        ...variables,
      },
    })
    void started.ended.then(() => workspace.release())
    return started
  } catch (error) {
    await workspace.release()
    throw error
  }
}

/** Starts an inline tool that is given nothing under Node's own permissions, where no cell can be. */
export async function startPermitted(
  { program, args, needs = [] }: Program,
  { config, owner: _, variables, ...options }: BareOptions,
): Promise<ToolProcess> {
  const reads = needs.map((path) => `--allow-fs-read=${path}`)
  await mkdir(config.cache, { recursive: true })
  return startProcess({
    ...options,
    program,
    args: ['--permission', ...reads, ...args],
    cwd: config.cache,
    env: variables,
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
