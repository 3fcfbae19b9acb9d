import { join } from 'node:path'
import { numberAfter, numberIn, readAccount } from './accounts.ts'
import type { Dialect, FoundCgroups, Places } from './cgroups.ts'
import { findDelegated } from './delegation.ts'
import type { Hierarchy } from './hierarchies.ts'
import { HOLDERS } from './holders.ts'

/** Cgroups of version 2, where what we are in was delegated to us. `proc` is `/proc`. */
export async function findV2(
  hierarchies: readonly Hierarchy[],
  proc: string,
): Promise<FoundCgroups | undefined> {
  const hierarchy = hierarchies.find(({ version }) => version === 2)
  if (hierarchy === undefined) return undefined
  const delegated = await findDelegated(hierarchy.own, proc)
  if (delegated === undefined) return undefined
  const { folder, controllers, self } = delegated
  return {
    dialect: V2,
    places: Object.fromEntries(controllers.map((controller) => [controller, folder])),
    mounts: [hierarchy.mount],
    self,
  }
}

/** Microseconds. */
const PERIOD = 100_000
const LEAST = 1_000

export const V2: Dialect = {
  kind: 'cgroup v2',
  files: { memory: 'memory.max', pids: 'pids.max', cpu: 'cpu.max' },
  entrance: () => [],
  settings: ({ memory, processes, cpus }) => [
    { controller: 'memory', file: 'memory.max', value: String(memory) },
    { controller: 'memory', file: 'memory.swap.max', value: '0', optional: true },
    // All or none: a tool of which one process is missing would only hang.
    { controller: 'memory', file: 'memory.oom.group', value: '1', optional: true },
    { controller: 'pids', file: 'pids.max', value: String(processes + HOLDERS) },
    ...(cpus === null
      ? []
      : ([{ controller: 'cpu', file: 'cpu.max', value: `${quota(cpus)} ${PERIOD}` }] as const)),
  ],
  met: ({ memory, pids }) => ({
    memory: memory === undefined ? undefined : memoryMet(memory),
    processes: pids !== undefined && numberAfter(readAccount(join(pids, 'pids.events')), 'max') > 0,
  }),
  usage: (places: Places) => {
    const folder = Object.values(places)[0] ?? ''
    const stat = readAccount(join(folder, 'cpu.stat'))
    return {
      cpu: stat === '' ? null : numberAfter(stat, 'usage_usec') / 1e3,
      // Since Linux 5.19.
      memory: numberIn(readAccount(join(folder, 'memory.peak'))),
    }
  },
}

function quota(cpus: number): number {
  return Math.max(LEAST, Math.round(cpus * PERIOD))
}

/** Killed, and at its own limit; without that it was the limit of somebody above it. */
function memoryMet(folder: string): 'own' | 'host' | undefined {
  const events = readAccount(join(folder, 'memory.events'))
  if (numberAfter(events, 'oom_kill') === 0) return undefined
  return numberAfter(events, 'oom') > 0 ? 'own' : 'host'
}
