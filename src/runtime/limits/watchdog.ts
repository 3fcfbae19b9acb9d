import { access, constants } from 'node:fs/promises'
import { release } from 'node:os'
import { HOLDERS } from './holders.ts'
import type { Bounds, Limiter } from './limits.ts'
import { WatchedGroup } from './watched-group.ts'

/** Which bounds the watchdog keeps, where cgroups keep the others. */
export interface Watched {
  readonly memory: boolean
  readonly processes: boolean
}

/**
 * Limits without cgroups: the kernel's for each process (prlimit(1), where it is installed) are a
 * wide fence that holds between two looks of a watchdog, which keeps the bounds.
 */
export async function findWatchdog(watched: Watched): Promise<Limiter> {
  const linux = process.platform === 'linux'
  const program = linux ? await findPrlimit() : undefined
  const fences = (bounds: Bounds) => [
    ...(watched.memory ? [`--data=${bounds.memory + UNUSED}`] : []),
    ...(watched.processes ? processesFence(bounds) : []),
  ]
  const by = (kept: boolean, fence: boolean, name: string) => {
    if (!linux || !kept) return null
    return program !== undefined && fence ? `a watchdog, and prlimit: ${name}` : 'a watchdog'
  }
  return {
    kind: 'prlimit',
    how: {
      memory: by(watched.memory, true, 'RLIMIT_DATA'),
      processes: by(watched.processes, COUNTS_FOR_US, 'RLIMIT_NPROC'),
      cpus: null,
    },
    prefix: (bounds) => (program === undefined ? [] : [program, ...fences(bounds), '--']),
    open: async (_, bounds) => new WatchedGroup(bounds, watched),
    reap: async () => 0,
  }
}

/** Where it is in the cell as well. */
async function findPrlimit(): Promise<string | undefined> {
  for (const program of ['/usr/bin/prlimit', '/bin/prlimit']) {
    const found = access(program, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (await found) return program
  }
  return undefined
}

/**
 * The kernel counts by user. Under root that is the tool's, which all its instances share; without
 * root each cell has a user namespace, in which newer kernels count anew. Older ones would count
 * whatever else the gateway's user runs.
 */
function processesFence({ processes }: Bounds): string[] {
  if (!COUNTS_FOR_US) return []
  // One more than it may: so the watchdog sees who wants more.
  return [`--nproc=${ROOT ? Math.max(SHARED, processes) : processes + HOLDERS + 1}`]
}

const ROOT = process.getuid?.() === 0
const COUNTS_FOR_US = ROOT || countsByNamespace(release())

/** Since Linux 5.14. */
export function countsByNamespace(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number.parseFloat)
  return major > 5 || (major === 5 && minor >= 14)
}

/** Of one user id: more than any number of its instances has, less than a system can bear. */
const SHARED = 8192

/**
 * Bytes of writable memory that a process may reserve and not use: Node itself has 560 MB so, and
 * 530 MB more with each worker thread.
 */
const UNUSED = 4 * 2 ** 30
