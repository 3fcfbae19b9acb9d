import { findV1 } from './cgroup-v1.ts'
import { findV2 } from './cgroup-v2.ts'
import { cgroupLimiter, type FoundCgroups } from './cgroups.ts'
import { findHierarchies } from './hierarchies.ts'
import { joinGroups } from './joined.ts'
import { findWatchdog } from './watchdog.ts'

/** Bounds of one instance, all its processes together. */
export interface Bounds {
  /** Bytes. */
  readonly memory: number
  /** Processes and threads. */
  readonly processes: number
  /** Such as 0.5; null: all there are. */
  readonly cpus: number | null
}

/** How limits are kept on this host. */
export interface Limiter {
  readonly kind: 'cgroup v2' | 'cgroup v1' | 'prlimit'
  /** What keeps each bound, for people; null: nothing can here. */
  readonly how: Kept
  /** Words put before the tool's program inside the cell; none where nothing is needed. */
  prefix(bounds: Bounds): readonly string[]
  /** Makes the group of one instance; `name` is the value of its mark. Rejects where it cannot. */
  open(name: string, bounds: Bounds): Promise<LimitGroup>
  /** Removes groups that these dead gateways left, with all that is in them. Gives how many. */
  reap(gateways: ReadonlySet<string>): Promise<number>
}

export interface Kept {
  readonly memory: string | null
  readonly processes: string | null
  readonly cpus: string | null
}

/** The processes of one instance, and its bounds. */
export interface LimitGroup {
  /**
   * Puts the processes that hold the cell in, before the tool's first instruction. The last of
   * them is the first process inside. Rejects where one of them is gone.
   */
  enter(pids: readonly number[]): Promise<void>
  /** What was breached, in words for callers; undefined: nothing. Looked up now, also at its end. */
  breach(): string | undefined
  /** `end` is told once, when it has to be ended by whoever started it. */
  onBreach(end: (why: string) => void): void
  /** What the kernel's own accounts say of all its processes together; null: there are none. */
  usage(): Accounts | null
  /** Ids of the processes in it. */
  members(): number[]
  /** After its end: what is left in it is killed, and the group removed. Never rejects. */
  remove(): Promise<void>
}

/** What the kernel counted since the group was made; null: it does not. */
export interface Accounts {
  /** Milliseconds of CPU time, user and system. */
  readonly cpu: number | null
  /** Bytes, at their peak. */
  readonly memory: number | null
}

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
