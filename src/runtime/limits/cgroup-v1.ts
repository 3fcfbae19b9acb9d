import { access, constants, mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { numberAfter, numberIn, readAccount } from './accounts.ts'
import type { Controller, Dialect, FoundCgroups, Places } from './cgroups.ts'
import type { Hierarchy } from './hierarchies.ts'
import { HOLDERS } from './holders.ts'

/** Cgroups of version 1, where our own group of a controller can be written to. */
export async function findV1(hierarchies: readonly Hierarchy[]): Promise<FoundCgroups | undefined> {
  const found: { controller: Controller; hierarchy: Hierarchy }[] = []
  for (const [controller, file] of Object.entries(NEEDED) as [Controller, string][]) {
    const hierarchy = hierarchies.find(
      ({ version, controllers }) => version === 1 && controllers.includes(controller),
    )
    if (hierarchy !== undefined && (await works(hierarchy.own, file))) {
      found.push({ controller, hierarchy })
    }
  }
  const [first] = found
  if (first === undefined) return undefined
  return {
    dialect: V1,
    places: Object.fromEntries(found.map((each) => [each.controller, each.hierarchy.own])),
    mounts: [...new Set(found.map(({ hierarchy }) => hierarchy.mount))],
    self: join(first.hierarchy.own, 'cgroup.procs'),
  }
}

/** What a group has to have for its controller to be of use. */
const NEEDED: Readonly<Record<Controller, string>> = {
  memory: 'memory.limit_in_bytes',
  pids: 'pids.max',
  cpu: 'cpu.cfs_quota_us',
  cpuacct: 'cpuacct.usage',
}

/** Tried, not believed: a mount may be read-only, and a kernel without quotas. */
async function works(own: string, file: string): Promise<boolean> {
  const folder = join(own, `toolgate-try-${process.pid}`)
  try {
    await mkdir(folder)
  } catch {
    return false
  }
  try {
    await access(join(folder, file), constants.F_OK)
    return true
  } catch {
    return false
  } finally {
    await rmdir(folder).catch(() => {})
  }
}

const MEMORY = 'memory.limit_in_bytes'

/**
 * Who has one thread and puts itself in waits for nobody, where moving it may take 20 ms. A shell
 * can: its text is constant, the folders are arguments of it, and it becomes what it starts.
 */
const ENTER = 'while [ "$1" != -- ]; do echo 0 >"$1/tasks" || exit 1; shift; done; shift; exec "$@"'

/** Microseconds. */
const PERIOD = 100_000
const LEAST = 1_000

export const V1: Dialect = {
  kind: 'cgroup v1',
  files: { memory: MEMORY, pids: 'pids.max', cpu: 'cpu.cfs_quota_us' },
  entrance: (folders) => ['/bin/sh', '-c', ENTER, 'sh', ...folders, '--'],
  settings: ({ memory, processes, cpus }) => [
    { controller: 'memory', file: MEMORY, value: String(memory) },
    // Memory and swap together; refused as long as it would be less than memory alone.
    {
      controller: 'memory',
      file: 'memory.memsw.limit_in_bytes',
      value: String(memory),
      optional: true,
    },
    // Else one that has no memory left would hang; a group is born as its parent is.
    { controller: 'memory', file: 'memory.oom_control', value: '0', optional: true },
    { controller: 'pids', file: 'pids.max', value: String(processes + HOLDERS) },
    ...(cpus === null
      ? []
      : ([
          { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(PERIOD) },
          { controller: 'cpu', file: 'cpu.cfs_quota_us', value: quota(cpus) },
        ] as const)),
  ],
  met: ({ memory, pids }) => ({
    memory: memory === undefined ? undefined : memoryMet(memory),
    processes: pids !== undefined && numberAfter(readAccount(join(pids, 'pids.events')), 'max') > 0,
  }),
  usage: ({ memory, cpuacct }: Places) => {
    const number = (folder: string | undefined, file: string) =>
      folder === undefined ? null : numberIn(readAccount(join(folder, file)))
    const nanoseconds = number(cpuacct, 'cpuacct.usage')
    return {
      cpu: nanoseconds === null ? null : nanoseconds / 1e6,
      memory: number(memory, 'memory.max_usage_in_bytes'),
    }
  },
}

function quota(cpus: number): string {
  return String(Math.max(LEAST, Math.round(cpus * PERIOD)))
}

/**
 * Killed, and at its own limit; without that it was the limit of somebody above it. Newer kernels
 * do not count how often a limit was met, so its peak says so.
 */
function memoryMet(folder: string): 'own' | 'host' | undefined {
  const account = (file: string) => readAccount(join(folder, file))
  if (numberAfter(account('memory.oom_control'), 'oom_kill') === 0) return undefined
  const [peak, limit] = ['memory.max_usage_in_bytes', MEMORY].map((file) => numberIn(account(file)))
  return (peak ?? 0) >= (limit ?? 0) - NEARLY ? 'own' : 'host'
}

/** Bytes: what does not fit is not counted to the peak. */
const NEARLY = 4 * 2 ** 20
