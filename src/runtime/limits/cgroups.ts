import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readMark } from '../../mark.ts'
import { endGroup } from './cgroup-end.ts'
import { folderOf } from './cgroup-folder.ts'
import { CgroupGroup } from './cgroup-group.ts'
import { reapCgroups } from './cgroup-reap.ts'
import type { Accounts, Bounds, Limiter } from './limits.ts'

export type Controller = 'memory' | 'pids' | 'cpu' | 'cpuacct'

/** The group's folder of each controller that there is; version 2 has one folder for all. */
export type Places = Readonly<Partial<Record<Controller, string>>>

/** What the two versions of cgroups call things. */
export interface Dialect {
  readonly kind: 'cgroup v1' | 'cgroup v2'
  /** Name of the file that keeps each bound, for people. */
  readonly files: { readonly memory: string; readonly pids: string; readonly cpu: string }
  /**
   * Words that start what follows them in these groups; none: it has to be moved there, which the
   * kernel lets wait.
   */
  entrance(folders: readonly string[]): readonly string[]
  /** What is written where, in this order. */
  settings(bounds: Bounds): readonly Setting[]
  /** Which bound it has met since it was made. */
  met(places: Places): Met
  usage(places: Places): Accounts
}

export interface Setting {
  readonly controller: Controller
  readonly file: string
  readonly value: string
  /** Not every kernel has it, and without it the bound holds all the same. */
  readonly optional?: true
}

export interface Met {
  /** `own`: one of its processes was killed for it; `host`: for want of memory of others. */
  readonly memory: 'own' | 'host' | undefined
  readonly processes: boolean
}

/** Cgroups that this process may make groups in. */
export interface FoundCgroups {
  readonly dialect: Dialect
  /** The folder of each controller in which groups are made. */
  readonly places: Places
  /** Where the hierarchies are mounted: a dead gateway's own group may have been another. */
  readonly mounts: readonly string[]
  /** The processes of our own group. */
  readonly self: string
}

export function cgroupLimiter({ dialect, places, mounts, self }: FoundCgroups): Limiter {
  const { kind, files } = dialect
  const by = (controller: 'memory' | 'pids' | 'cpu') =>
    places[controller] === undefined ? null : `${kind}: ${files[controller]}`
  return {
    kind,
    how: { memory: by('memory'), processes: by('pids'), cpus: by('cpu') },
    prefix: () => [],
    open: (mark, bounds) => open({ dialect, places, self }, mark, bounds),
    reap: (gateways) => reapCgroups(mounts, gateways),
  }
}

async function open(
  { dialect, places, self }: Omit<FoundCgroups, 'mounts'>,
  mark: string,
  bounds: Bounds,
): Promise<CgroupGroup> {
  if (readMark(mark) === undefined) throw new Error(`no mark of an instance: ${mark}`)
  const given = Object.entries(places).filter(
    ([controller]) => controller !== 'cpu' || bounds.cpus !== null,
  )
  const own: Places = Object.fromEntries(
    given.map(([controller, parent]) => [controller, join(parent, folderOf(mark))]),
  )
  const folders = [...new Set(Object.values(own))]
  const moving = dialect.entrance(folders).length === 0 ? warmUp(self) : undefined
  try {
    await Promise.all(folders.map((folder) => mkdir(folder)))
    for (const setting of dialect.settings(bounds)) await set(own, setting)
    return new CgroupGroup({ dialect, places: own, folders, bounds, moving })
  } catch (error) {
    await Promise.all(folders.map((folder) => endGroup(folder)))
    throw error
  }
}

async function set(places: Places, { controller, file, value, optional }: Setting): Promise<void> {
  const folder = places[controller]
  if (folder === undefined) return
  const writing = writeFile(join(folder, file), value)
  await (optional ? writing.catch(() => {}) : writing)
}

/**
 * The first move of a process between groups waits some 10 to 20 ms for every processor to notice,
 * those soon after it do not. So we move to where we are while it is looked up what the cell shows.
 */
async function warmUp(self: string): Promise<void> {
  const own = String(process.pid)
  const there = await readFile(self, 'latin1').catch(() => '')
  // Somebody may have moved us elsewhere since.
  if (there.split('\n').includes(own)) await writeFile(self, own).catch(() => {})
}
