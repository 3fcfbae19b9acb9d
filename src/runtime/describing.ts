import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../config/config.ts'
import { type Launch, launchBare, type ReaderCommand } from '../registry/launch.ts'
import type { Logger } from '../telemetry/log.ts'
import { NOTHING } from '../tool/nothing.ts'
import { enterCell } from './cell/enter.ts'
import { type Host, probeHost, withoutLinks } from './cell/host.ts'
import { resolveNative } from './cell/native.ts'
import { ownUser, programView } from './cell/program-view.ts'
import { ProcessGroup } from './group.ts'
import { OWN_CODE, packagesAbove } from './inline.ts'
import { findLimiter } from './limits/limiter.ts'

export type DescribingConfig = Pick<Config, 'sandbox' | 'cells' | 'cache' | 'environment'>

/**
 * How a tool's file is read: its code runs then, before anything is known of what it may do, so it
 * is given nothing: the folder it lies in, and the packages above, to read. Where there are no
 * cells Node's own permissions have to do.
 */
export function describingLaunch(config: DescribingConfig, log?: Logger): Launch {
  return async (command) => {
    if (config.sandbox === 'none') return launchBare(command)
    const host = await probeHost(config.environment)
    const needs = await needsOf(command)
    if (host.bubblewrap === null && !host.absent) throw new Error(host.why ?? 'there are no cells')
    return host.bubblewrap === null
      ? launchBare({ ...command, args: [...permissions(needs), ...command.args] })
      : launchCelled(command, needs, host, config).catch((err: unknown) => {
          log?.error({ file: command.file, err }, 'a file could not be read in a cell')
          throw err
        })
  }
}

async function needsOf({ file, compiled }: ReaderCommand): Promise<string[]> {
  const real = await withoutLinks(file)
  const folders = [dirname(file), dirname(real), ...packagesAbove(file)]
  const kept = compiled === undefined ? [] : [compiled]
  return [...new Set([...OWN_CODE, ...folders, ...kept])].filter((path) => existsSync(path))
}

function permissions(needs: readonly string[]): string[] {
  return ['--permission', ...needs.map((path) => `--allow-fs-read=${path}`)]
}

async function launchCelled(
  { file, program, args, mark, within, signal }: ReaderCommand,
  needs: readonly string[],
  host: Host,
  config: DescribingConfig,
) {
  const limiter = await findLimiter()
  const user = host.root ? await readerOf(file, config) : ownUser()
  const view = await programView({ program, needs, user, config })
  const { pid, stdio, third, group, begin } = await enterCell({
    cell: resolveNative(
      { policy: NOTHING },
      { cells: { ...config.cells, ...BOUNDS } },
      host,
      limiter,
    ),
    given: {
      mounts: view.mounts,
      workspace: null,
      user: host.root ? user : null,
      env: {},
    },
    bubblewrap: host.bubblewrap ?? 'bwrap',
    program: view.program,
    args,
    cwd: '/tmp',
    mark,
    group: limiter.open(mark, BOUNDS),
    within,
    signal,
    third: true,
  })
  const members = new ProcessGroup(pid)
  const kill = () => void members.signal('SIGKILL')
  group.onBreach(kill)
  stdio.stdin.destroy()
  stdio.stdout.resume()
  const exited = new Promise<string>((resolve) => {
    stdio.once('exit', (code, signal) => {
      const how = group.breach() ?? signal ?? `code ${code}`
      kill()
      void members.release()
      void group.remove()
      resolve(how)
    })
  })
  begin()
  return { stderr: stdio.stderr, results: third ?? stdio.stdout, exited, kill }
}

/**
 * Under root a user that no tool has. A file that is not for everyone's eyes is read as its owner
 * reads it, who in this cell has no capability and nothing to write to, be it root.
 */
async function readerOf(file: string, { cells }: DescribingConfig) {
  const [own, folder] = await Promise.all([stat(file), stat(dirname(await withoutLinks(file)))])
  const open = (own.mode & 0o004) !== 0 && (folder.mode & 0o005) === 0o005
  const { last } = cells.users
  return open ? { uid: last, gid: last } : { uid: own.uid, gid: own.gid }
}

/** For a process that only imports and prints: generous, and finite. */
const BOUNDS = { memory: 512 * 2 ** 20, processes: 64, cpus: null }
