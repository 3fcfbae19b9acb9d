import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import { markOf } from '../mark.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import { boundsOf } from './cell/bounds.ts'
import { grantFiles } from './cell/grants.ts'
import { probeHost } from './cell/host.ts'
import { type LookKept, lookKept } from './cell/kept.ts'
import { type NativeCell, WORKSPACE } from './cell/native.ts'
import { unseenArgument } from './cell/program.ts'
import { ownUser, programView } from './cell/program-view.ts'
import { refuseWithout } from './cell/refuse.ts'
import { startInCell } from './cell/start.ts'
import { cellVariables } from './cell/variables.ts'
import type { Mount } from './cell/view.ts'
import { openWayOut } from './cell/way-out.ts'
import { findLimiter } from './limits/limiter.ts'
import { removeGroup } from './limits/remove-group.ts'
import type { ProcessOptions, ToolProcess } from './process.ts'
import type { Program, StartOptions } from './starting.ts'
import { userOf } from './users.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

export interface CelledToolOptions extends ProcessOptions, Pick<StartOptions, 'config' | 'egress'> {
  readonly owner: StartOptions['owner'] | undefined
  readonly signal: AbortSignal | undefined
  readonly cell: NativeCell
  /** Secrets and trace context. */
  readonly variables: Readonly<Record<string, string>>
}

/** Starts a native tool in its cell. Rejects with `tool_failed_to_start` or `no_cell`. */
export async function startCelled(
  tool: Declaration,
  program: Program,
  options: CelledToolOptions,
): Promise<ToolProcess> {
  const { config, owner, log, fields } = options
  const { policy } = tool
  // What it holds besides its process; let go of when that has ended, or never began.
  const held = new AsyncDisposableStack()
  try {
    const { limiter, ...means } = await meansOf(config)
    const mark = markOf(fields.instance)
    // Takes its time, and meanwhile one can look. Why it fails is heard where it is entered.
    const group = limiter.open(mark, boundsOf(policy, config.cells))
    group.catch(() => {})
    held.defer(() => removeGroup(group))
    const kept = lookKept(config)
    const user = await userOf(tool.name, config)
    const viewing = programView({
      program: program.program,
      needs: program.needs ?? [],
      user: user ?? ownUser(),
      config,
      kept,
    })
    viewing.catch(() => {})
    // What its file may not give is said before what its program lacks.
    const files = await filesOf(policy, kept)
    const view = await viewing
    await refuseUnseen(authored(tool), [...view.mounts, ...files], log.child({ ...fields }))
    const out = await openWayOut(tool.name, policy, {
      doors: options.egress,
      path: config.environment.PATH ?? '',
      kept,
    })
    held.defer(() => out.release())
    const workspace = await openWorkspace({
      root: config.workspace,
      tool: tool.name,
      workspace: policy.workspace,
      owner,
      user,
      log: log.child({ ...fields }),
    })
    held.defer(() => workspace.release())
    return await startInCell({
      ...options,
      ...means,
      mark,
      group,
      given: {
        mounts: [...view.mounts, ...out.mounts, ...files],
        workspace: sourceOf(workspace, means.bindsDescriptors),
        user,
        env: {
          ...cellVariables(config.environment, policy.env, homeOf(policy), view.mounts),
          ...out.variables,
          ...options.variables,
        },
      },
      ...commandOf(view.program, program.args, out.words),
      cwd: workspace.folder === null ? TMP : WORKSPACE,
      disk: diskOf(policy, workspace, config),
      within: config.timeouts.start,
      signal: options.signal,
      ended: () => held.disposeAsync(),
    })
  } catch (error) {
    await held.disposeAsync()
    throw error
  }
}

const TMP = '/tmp'

/**
 * What is mounted is what was checked, where bubblewrap takes the descriptor that holds it; else its
 * path has to do: no tool may write to a folder above it.
 */
function sourceOf({ folder, descriptor }: Workspace, bindsDescriptors: boolean) {
  return bindsDescriptors && descriptor !== null ? descriptor : folder
}

/** Its own folder alone: what the file gives it of this machine is for its author to bound. */
function diskOf({ workspace }: Declaration['policy'], { folder }: Workspace, { cells }: Config) {
  const writes = workspace.access === 'read-write' && folder !== null
  return writes ? { folder, most: cells.disk } : null
}

/** Looked at again, since its cell was chosen: what is mounted is what is checked now. */
async function filesOf(policy: Declaration['policy'], kept: LookKept): Promise<readonly Mount[]> {
  const { mounts, refusals } = await grantFiles(policy, kept)
  refuseWithout(refusals)
  return mounts
}

async function meansOf(config: Config) {
  const [host, limiter] = await Promise.all([probeHost(config.environment), findLimiter()])
  return {
    bubblewrap: host.bubblewrap ?? 'bwrap',
    bindsDescriptors: host.bindsDescriptors,
    limiter,
  }
}

/** A forwarder, where there is one, starts the program. */
function commandOf(program: string, args: readonly string[], words: readonly string[]) {
  const inside = args.map((arg) => arg.replaceAll('{workspace}', () => WORKSPACE))
  const [first = program, ...rest] = [...words, program]
  return { program: first, args: [...rest, ...inside] }
}

/** Where programs keep what they want to find again: of no use where nothing stays. */
function homeOf({ workspace }: Declaration['policy']): string {
  return workspace.access === 'read-write' ? WORKSPACE : TMP
}

/** The arguments that its file gives; ours are seen anyway, or meant for no more than their words. */
function authored({ runtime }: Declaration): readonly string[] {
  return runtime.kind === 'inline' ? [] : runtime.args
}

async function refuseUnseen(
  args: readonly string[],
  mounts: readonly Mount[],
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
