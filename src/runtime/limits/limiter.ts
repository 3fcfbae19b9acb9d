import { findV1 } from './cgroup-v1.ts'
import { findV2 } from './cgroup-v2.ts'
import { cgroupLimiter, type FoundCgroups } from './cgroups.ts'
import { findHierarchies } from './hierarchies.ts'
import { joinGroups } from './joined.ts'
import type { Limiter } from './limits.ts'
import { findWatchdog } from './watchdog.ts'

export interface FindOptions {
  /** Another folder in place of `/proc`, whose mounts lead to other cgroups. */
  readonly proc?: string
  /** Only this way is tried. */
  readonly only?: Limiter['kind']
}

/** Looks how limits can be kept here; without options once. */
export function findLimiter(options?: FindOptions): Promise<Limiter> {
  if (options !== undefined) return find(options)
  found ??= find({})
  return found
}

let found: Promise<Limiter> | undefined

async function find({ proc = '/proc', only }: FindOptions): Promise<Limiter> {
  const cgroups = only === 'prlimit' ? undefined : await findCgroups(proc, only)
  const cgroup = cgroups === undefined ? undefined : cgroupLimiter(cgroups)
  const memory = cgroup?.how.memory ?? null
  const processes = cgroup?.how.processes ?? null
  if (cgroup !== undefined && memory !== null && processes !== null) return cgroup
  const watchdog = await findWatchdog({ memory: memory === null, processes: processes === null })
  return cgroup === undefined ? watchdog : both(cgroup, watchdog)
}

/** The newer, unless the older keeps more here. */
async function findCgroups(proc: string, only: Limiter['kind'] | undefined) {
  const hierarchies = await findHierarchies(proc)
  const ways = [
    ...(only === 'cgroup v1' ? [] : [() => findV2(hierarchies, proc)]),
    ...(only === 'cgroup v2' ? [] : [() => findV1(hierarchies)]),
  ]
  let best: FoundCgroups | undefined
  for (const way of ways) {
    const next = await way()
    if (strength(next) > strength(best)) best = next
    if (strength(best) === ALL) break
  }
  return best
}

const BOUNDS = ['memory', 'pids', 'cpu'] as const
const ALL = BOUNDS.length

function strength(cgroups: FoundCgroups | undefined): number {
  return BOUNDS.filter((controller) => cgroups?.places[controller] !== undefined).length
}

/** Cgroups for what they can, the watchdog for the rest. */
function both(cgroup: Limiter, watchdog: Limiter): Limiter {
  return {
    kind: cgroup.kind,
    how: {
      memory: cgroup.how.memory ?? watchdog.how.memory,
      processes: cgroup.how.processes ?? watchdog.how.processes,
      cpus: cgroup.how.cpus,
    },
    prefix: (bounds) => watchdog.prefix(bounds),
    open: async (name, bounds) =>
      joinGroups([await cgroup.open(name, bounds), await watchdog.open(name, bounds)]),
    reap: (gateways) => cgroup.reap(gateways),
  }
}
