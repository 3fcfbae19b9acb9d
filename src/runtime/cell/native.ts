import type { Config } from '../../config/config.ts'
import type { Declaration, Policy } from '../../tool/declaration.ts'
import type { Limiter } from '../limits/limits.ts'
import { boundsOf, sizeOf } from './bounds.ts'
import type { Cell, CellLine } from './cell.ts'
import type { Host } from './host.ts'
import { REFUSED, seccompFilter } from './seccomp/filter.ts'
import { PASSED } from './variables.ts'
import { type Mount, mountFlags, readOnly, SYSTEM } from './view.ts'

/** What is known only when a process is started. */
export interface Given {
  /** The system, where the program was installed, what its runtime needs and its file gives. */
  readonly mounts: readonly Mount[]
  /** What is mounted as the workspace: a path, or the descriptor that holds it; null: none. */
  readonly workspace: string | number | null
  /** Null where the gateway is not root: the tool then runs as the gateway's user. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Descriptors that bubblewrap reads or writes. */
  readonly seccomp: number
  readonly block: number
  readonly info: number
}

/** The cell of a native tool: its lines, and the flags of bubblewrap that make them true. */
export interface NativeCell extends Cell {
  readonly kind: 'bubblewrap'
  /** What bubblewrap is given before `--` and the program. */
  flags(given: Given): string[]
  /** What stands before the program, in its cell: the drop to its user, and its limits. */
  words(given: Pick<Given, 'user'>): string[]
}

/** One thing a cell is made of, told and done in one place, so that the two cannot differ. */
interface Part {
  readonly lines: readonly CellLine[]
  readonly flags?: (given: Given) => readonly string[]
  readonly words?: (given: Pick<Given, 'user'>) => readonly string[]
  /** Why the tool cannot be started here. */
  readonly refusal?: string
}

/** Paths in every cell. */
export const WORKSPACE = '/workspace'
const TMP = '/tmp'

/** Resolves the cell of a command, an npm package or inline functions. */
export function resolveNative(
  { policy }: Pick<Declaration, 'policy'>,
  config: Pick<Config, 'cells'>,
  host: Host,
  limiter: Limiter,
): NativeCell {
  const parts = [
    namespaces(host),
    network(policy),
    seccomp(),
    user(host, config),
    root(),
    // Before what may lie below it: a later mount hides an earlier one.
    scratch(config),
    system(policy),
    workspace(policy, config),
    environment(policy),
    limits(policy, config, limiter),
  ]
  return {
    kind: 'bubblewrap',
    lines: parts.flatMap(({ lines }) => lines),
    refusals: parts.flatMap(({ refusal }) => refusal ?? []),
    flags: (given) => [...parts.flatMap((part) => part.flags?.(given) ?? []), ...LAST],
    words: (given) => parts.flatMap((part) => part.words?.(given) ?? []),
  }
}

/** After everything is mounted. Settings of the kernel are files too, for whoever owns them. */
const LAST = ['--remount-ro', '/proc', '--remount-ro', '/dev', '--remount-ro', '/']

function namespaces({ root, disablesUserNamespaces }: Host): Part {
  const own = disablesUserNamespaces ? ['--unshare-user', '--disable-userns'] : ['--unshare-user']
  return {
    lines: [
      { what: 'processes of others', rule: 'not seen, not signalled', by: 'PID namespace' },
      { what: 'shared memory and queues of others', rule: 'not reached', by: 'IPC namespace' },
      { what: 'host name', rule: 'its own', by: 'UTS namespace' },
      { what: 'control groups', rule: 'not seen', by: 'cgroup namespace' },
      { what: 'terminal', rule: 'none', by: 'a session of its own' },
      { what: 'the end of the gateway', rule: 'is its end', by: 'parent death signal' },
    ],
    flags: ({ block, info }) => [
      ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
      ...(root ? [] : own),
      ...['--hostname', 'tool', '--new-session', '--die-with-parent'],
      ...['--block-fd', String(block), '--info-fd', String(info)],
    ],
  }
}

function network({ network: given }: Policy): Part {
  const what = 'network'
  if (given === 'host') {
    const rule = "the host's own, with its loopback and its abstract sockets"
    return {
      lines: [{ what, rule, by: 'nothing is in its way' }],
      flags: () => mountFlags(HOST_NETWORK),
    }
  }
  const by = 'network namespace'
  const flags = () => ['--unshare-net']
  if (given === 'none') return { lines: [{ what, rule: 'none', by }], flags }
  const rule =
    given === 'egress' ? 'public addresses, by name and port' : `only ${list(given.allow)}`
  return { lines: [{ what, rule, by: `${by} and egress proxy` }], flags }
}

const HOST_NETWORK = ['/etc/resolv.conf'].map((path) => readOnly(path))

function seccomp(): Part {
  const filtered = seccompFilter(process.arch) !== undefined
  return {
    lines: [
      { what: 'system calls', rule: `refused: ${REFUSED.join(', ')}`, by: 'seccomp' },
      { what: 'new privileges', rule: 'none', by: 'no_new_privs' },
    ],
    flags: ({ seccomp: descriptor }) => ['--seccomp', String(descriptor)],
    ...(!filtered && { refusal: `there is no filter of system calls for ${process.arch}` }),
  }
}

function user({ root, setpriv }: Host, { cells }: Pick<Config, 'cells'>): Part {
  const what = 'user'
  if (!root) {
    const rule = "the gateway's, without any capability"
    return { lines: [{ what, rule, by: 'user namespace' }] }
  }
  const { first, last } = cells.users
  const rule = `its own of ${first}-${last}, no groups, no capabilities`
  return {
    lines: [{ what, rule, by: 'setpriv' }],
    words: ({ user: as }) => [
      setpriv ?? 'setpriv',
      ...['--reuid', String(as?.uid ?? first), '--regid', String(as?.gid ?? first)],
      ...['--clear-groups', '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'],
    ],
  }
}

function root(): Part {
  return {
    lines: [
      {
        what: '/',
        rule: 'empty and read-only, as /proc and /dev, but for what follows',
        by: 'mount namespace',
      },
    ],
    flags: () => ['--proc', '/proc', '--dev', '/dev'],
  }
}

function system({ files }: Policy): Part {
  const by = 'mount namespace'
  return {
    lines: [
      { what: SYSTEM, rule: 'read-only', by },
      { what: 'the program itself', rule: 'read-only', by },
      ...filesView({ files }).map(({ kind, target }) => ({ what: target, rule: kind, by })),
    ],
    flags: ({ mounts }) => mountFlags(mounts),
  }
}

/** What a tool's file gives it of this machine, as it is written. */
export function filesView({ files: { read, write } }: Pick<Policy, 'files'>): Mount[] {
  return [
    ...read.map((path) => readOnly(path)),
    ...write.map((path) => ({ kind: 'read-write' as const, source: path, target: path })),
  ]
}

function workspace({ workspace: { access, per } }: Policy, { cells }: Pick<Config, 'cells'>): Part {
  const what = 'workspace'
  const by = 'mount namespace'
  if (access === 'none') return { lines: [{ what, rule: 'none', by }] }
  const whose = { tool: 'of the tool', caller: 'of each caller', session: 'of each session' }[per]
  const lines = [{ what, rule: `${access}, one ${whose}, at ${WORKSPACE}`, by }]
  if (access === 'read-write') {
    const rule = `at most ${sizeOf(cells.disk)}`
    lines.push({ what: 'disk in the workspace', rule, by: 'a watchdog that ends the tool' })
  }
  const bind = access === 'read-write' ? '--bind' : '--ro-bind'
  return {
    lines,
    flags: ({ workspace: source }) => {
      if (source === null) return []
      return [typeof source === 'number' ? `${bind}-fd` : bind, String(source), WORKSPACE]
    },
  }
}

function scratch({ cells }: Pick<Config, 'cells'>): Part {
  const size = ['--perms', '1777', '--size', String(cells.tmp), '--tmpfs']
  const rule = `its own, at most ${sizeOf(cells.tmp)} each`
  return {
    lines: [{ what: `${TMP} and /dev/shm`, rule, by: 'tmpfs' }],
    flags: () => [...size, TMP, ...size, '/dev/shm'],
  }
}

function environment({ env, secrets }: Policy): Part {
  const names = new Set([...PASSED, ...env, ...Object.keys(secrets)])
  const path = names.has('PATH') ? '' : ', and a PATH of what is seen'
  const rule = `of the gateway’s only ${list([...names])}${path}`
  return {
    lines: [{ what: 'environment', rule, by: 'started with an environment of its own' }],
    // Told, not inherited: a name must not mean anything to what runs before the cell is built.
    flags: ({ env: all }) => [
      '--clearenv',
      ...Object.entries(all).flatMap(([name, value]) => ['--setenv', name, value]),
    ],
  }
}

function limits(policy: Policy, { cells }: Pick<Config, 'cells'>, limiter: Limiter): Part {
  const bounds = boundsOf(policy, cells)
  const { memory, processes, cpus } = limiter.how
  const refusal =
    policy.cpus !== null && cpus === null
      ? 'cpus cannot be limited on this host, which has no cgroups that the gateway may use'
      : undefined
  return {
    lines: [
      { what: 'memory', rule: `at most ${sizeOf(bounds.memory)}`, by: memory },
      { what: 'processes and threads', rule: `at most ${bounds.processes}`, by: processes },
      ...(bounds.cpus === null
        ? [{ what: 'processors', rule: 'all', by: 'nothing is in its way' }]
        : [{ what: 'processors', rule: `at most ${bounds.cpus}`, by: cpus }]),
    ],
    words: () => limiter.prefix(bounds),
    ...(refusal !== undefined && { refusal }),
  }
}

function list(words: readonly string[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ')
}
