import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import { probeHost } from './cell/host.ts'
import { identityView } from './cell/identity.ts'
import { boundsOf, type NativeCell, WORKSPACE } from './cell/native.ts'
import { placeProgram, unseenArgument } from './cell/program.ts'
import { startInCell } from './cell/start.ts'
import { cellVariables } from './cell/variables.ts'
import { isSeen, readOnly, systemView } from './cell/view.ts'
import type { Program, StartOptions } from './driver.ts'
import { findLimiter } from './limits/limiter.ts'
import type { ProcessOptions, ToolProcess } from './process.ts'
import { userOf } from './users.ts'
import { openWorkspace } from './workspace.ts'

export interface CelledToolOptions extends ProcessOptions {
  readonly config: Config
  readonly cell: NativeCell
  readonly owner: StartOptions['owner']
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** Starts a native tool in its cell. Rejects with `tool_failed_to_start` or `no_cell`. */
export async function startCelled(
  tool: Declaration,
  program: Program,
  options: CelledToolOptions,
): Promise<ToolProcess> {
  const { config, cell, owner, variables, log } = options
  const { policy } = tool
  const [host, limiter, user] = await Promise.all([
    probeHost(config.environment),
    findLimiter(),
    userOf(tool.name, config),
  ])
  const mine = user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const system = systemView()
  const needed = (program.needs ?? []).filter((path) => !isSeen(path, system)).map((path) => readOnly(path))
  const [placed, identity] = await Promise.all([
    placeProgram(program.program, config.environment.PATH ?? '', system),
    identityView(config.cache, mine),
  ])
  const mounts = [...identity, ...placed.mounts, ...needed]
  const given = [...policy.files.read, ...policy.files.write].map((path) => readOnly(path))
  await refuseUnseen(program.args, [...system, ...mounts, ...given], log)
  const workspace = await openWorkspace({
    root: config.workspace,
    tool: tool.name,
    workspace: policy.workspace,
    owner,
    user,
  })
  const writable = policy.workspace.access === 'read-write'
  return startInCell({
    ...options,
    cell,
    bubblewrap: host.bubblewrap ?? 'bwrap',
    limiter,
    bounds: boundsOf(policy, config.cells),
    given: { mounts, workspace: workspace.source, user },
    program: placed.program,
    args: program.args.map((arg) => arg.replaceAll('{workspace}', () => WORKSPACE)),
    cwd: workspace.folder === null ? '/tmp' : WORKSPACE,
    env: {
      ...cellVariables(config.environment, policy.env, writable ? WORKSPACE : '/tmp', [
        ...system,
        ...mounts,
      ]),
      ...variables,
    },
    ended: () => workspace.release(),
  })
}

async function refuseUnseen(
  args: readonly string[],
  mounts: Parameters<typeof unseenArgument>[1],
  log: Logger,
): Promise<void> {
  const position = await unseenArgument(args, mounts)
  if (position === undefined) return
  log.error({ argument: args[position - 1] }, 'a file is not in the cell')
  const message =
    `The tool could not be started: argument ${position} of its program is a file that its cell ` +
    'does not have; name it, or the folder that it needs, in policy.files.read.'
  throw new ToolgateError('tool_failed_to_start', message)
}
