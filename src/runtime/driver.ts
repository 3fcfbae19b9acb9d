import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { ToolProcess } from './process.ts'
import { resolveSecrets } from './secrets.ts'
import { startProcess } from './start.ts'

export interface StartOptions {
  readonly config: Config
  readonly log: Logger
  /** Id of the instance, for logs. */
  readonly instance: string
  /** W3C trace context of the request it is started for; absent for a shared instance. */
  readonly traceparent?: string
  readonly tracestate?: string
  readonly signal?: AbortSignal
  /** Whom it serves, where it serves one only: a workspace may be theirs alone. */
  readonly owner?: InstanceOwner
}

export interface InstanceOwner {
  /** Id of the caller; null: anonymous. */
  readonly caller: string | null
  /** Id of the session or, where there is none, of the request. */
  readonly link: string
}

/** A program with its arguments: what every process runtime comes down to. */
export interface Program {
  readonly program: string
  readonly args: readonly string[]
}

/**
 * Makes ready what a tool's runtime needs before a process can be started: an npm package is
 * installed. Within `timeouts.install`; quick when everything is there.
 */
export async function prepareTool(tool: Declaration, options: StartOptions): Promise<Program> {
  const { runtime } = tool
  switch (runtime.kind) {
    case 'command':
      return runtime
    case 'npm': {
      const { installPackage } = await import('./npm.ts')
      const { config, instance, signal } = options
      const installed = await installPackage({
        package: runtime.package,
        version: runtime.version,
        cache: config.cache,
        timeout: config.timeouts.install,
        env: config.environment,
        log: options.log.child({ tool: tool.name, instance }),
        ...(signal === undefined ? {} : { signal }),
      })
      return { program: installed.program, args: [...installed.args, ...runtime.args] }
    }
    case 'inline': {
      const { inlineCommand } = await import('./inline.ts')
      return inlineCommand(tool, tool.policy.workspace === 'none' ? null : '{workspace}')
    }
    case 'container':
      throw new ToolgateError(
        'tool_failed_to_start',
        'The container runtime is not part of this version; use command or npm.',
      )
  }
}

/** Starts one process of a tool. Rejects with `tool_failed_to_start`. */
export async function startTool(
  tool: Declaration,
  { program, args }: Program,
  options: StartOptions,
): Promise<ToolProcess> {
  const { config, instance, log } = options
  const fields = { tool: tool.name, instance }
  const { values, redaction } = await resolveSecrets(tool.policy.secrets, {
    environment: config.environment,
    patience: config.timeouts.start,
    log: log.child(fields),
  })
  const folder = join(config.workspace, tool.name)
  await mkdir(folder, { recursive: true })
  return startProcess({
    program,
    args: args.map((arg) => arg.replaceAll('{workspace}', () => folder)),
    cwd: folder,
    env: { ...environmentOf(tool, config, options), ...values },
    line: config.sizes.line,
    patience: config.timeouts,
    log,
    fields,
    redaction,
  })
}

/** What a process needs to find programs and write scratch files, and what its file names in `env`. */
function environmentOf(
  tool: Declaration,
  config: Config,
  options: StartOptions,
): Record<string, string> {
  const env: Record<string, string> = { HOME: join(config.workspace, tool.name) }
  for (const name of [...BASE, ...tool.policy.env]) {
    const value = config.environment[name]
    if (value !== undefined) env[name] = value
  }
  if (options.traceparent !== undefined) env.TRACEPARENT = options.traceparent
  if (options.tracestate !== undefined) env.TRACESTATE = options.tracestate
  return env
}

const BASE =
  process.platform === 'win32'
    ? ['PATH', 'PATHEXT', 'SystemRoot', 'TEMP', 'TMP', 'USERPROFILE', 'APPDATA']
    : ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']
