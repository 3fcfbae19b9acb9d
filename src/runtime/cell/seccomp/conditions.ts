import { ABSENT, ALLOW, NO_SUCH_FAMILY, REFUSE } from './answers.ts'
import { type Block, read, when } from './assemble.ts'
import type { Numbers } from './refused.ts'

/** System calls that programs need, but for some uses of them. */
export interface Condition {
  /** Those uses, in a few words without a comma. */
  readonly what: string
  readonly calls: Readonly<Record<string, Numbers>>
  /** Looks at the arguments. */
  readonly answer: Block
}

export const CONDITIONS: readonly Condition[] = [
  {
    what: 'new namespaces',
    calls: { clone: { x64: 56, arm64: 220 } },
    // CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET. -TIME is part of a signal's number here.
    answer: read(low(0), when('anyBit', 0x7e02_0000, REFUSE, ALLOW)),
  },
  {
    what: 'new namespaces',
    calls: { unshare: { x64: 272, arm64: 97 } },
    // All but CLONE_VM, -FS, -FILES, -SIGHAND, -THREAD and -SYSVSEM, whatever there will be.
    answer: read(
      low(0),
      when('anyBit', 0xfffa_f0ff, REFUSE, read(high(0), when('equal', 0, ALLOW, REFUSE))),
    ),
  },
  {
    what: 'new namespaces',
    calls: { clone3: { x64: 435, arm64: 435 } },
    // Its flags lie in memory, which no filter reads. Libraries try clone next.
    answer: ABSENT,
  },
  {
    what: 'typing into terminals',
    calls: { ioctl: { x64: 16, arm64: 29 } },
    // TIOCSTI and TIOCLINUX. The kernel drops the upper half, so a filter must not look at it.
    answer: read(low(1), oneOf([0x5412, 0x541c], REFUSE, ALLOW)),
  },
  {
    what: 'sockets of rare families',
    calls: { socket: { x64: 41, arm64: 198 }, socketpair: { x64: 53, arm64: 199 } },
    // AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK, by which libraries list network interfaces.
    answer: read(low(0), oneOf([1, 2, 10, 16], ALLOW, NO_SUCH_FAMILY)),
  },
  {
    what: 'rare personalities',
    calls: { personality: { x64: 135, arm64: 92 } },
    // To ask which it is, Linux, 32-bit Linux, and both with the version of an old one.
    answer: read(low(0), oneOf([0xffff_ffff, 0, 8, 0x2_0000, 0x2_0008], ALLOW, REFUSE)),
  },
]

/** Where the lower half of an argument lies, which is all of an `int`. */
function low(argument: number): number {
  return 16 + 8 * argument
}

function high(argument: number): number {
  return low(argument) + 4
}

function oneOf(values: readonly number[], yes: Block, no: Block): Block {
  return values.reduceRight((next, value) => when('equal', value, yes, next), no)
}
