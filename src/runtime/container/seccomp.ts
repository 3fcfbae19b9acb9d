import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolgateError } from '../../errors.ts'
import { CONDITIONS } from '../cell/seccomp/conditions.ts'
import { REFUSED_CALLS } from '../cell/seccomp/refused.ts'
import type { EngineFacts } from './engine.ts'

/** What a container's filter refuses, in words for people; numbers that are new pass, unlike in a cell. */
export const REFUSED_INSIDE: readonly string[] = [
  ...new Set([...Object.keys(REFUSED_CALLS), ...CONDITIONS.map(({ what }) => what)]),
]

/**
 * The filter of a cell as an engine takes it, by the names of calls: engines' own let containers
 * trace each other's threads and, some of them, use io_uring. An engine leaves out names that its
 * library does not know.
 */
export function seccompProfile(): string {
  profile ??= JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules() })
  return profile
}

let profile: string | undefined

/**
 * What an engine is told to filter by: the filter itself, or the path of the file that Podman reads;
 * undefined where there is no telling it.
 */
export function filterFor(
  { seccomp, podman, elsewhere }: Filtering,
  cache: string,
): string | undefined {
  if (!seccomp) return undefined
  if (!podman) return seccompProfile()
  return elsewhere ? undefined : fileIn(cache)
}

/**
 * Writes that file, where the engine needs one and it is not there. Rejects with
 * `tool_failed_to_start`.
 */
export async function placeFilter(facts: Filtering, cache: string): Promise<void> {
  if (!facts.podman || filterFor(facts, cache) === undefined) return
  const file = fileIn(cache)
  const there = await readFile(file, 'utf8').catch(() => undefined)
  if (there === seccompProfile()) return
  const draft = `${file}.${randomUUID()}`
  try {
    await mkdir(cache, { recursive: true })
    await writeFile(draft, seccompProfile())
    await rename(draft, file)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {})
    const message =
      'The tool could not be started: its filter of system calls cannot be written to the cache folder.'
    throw new ToolgateError('tool_failed_to_start', message, { cause })
  }
}

type Filtering = Pick<EngineFacts, 'seccomp' | 'podman' | 'elsewhere'>

/** Named by what it says: another version of the gateway may share the folder. */
function fileIn(cache: string): string {
  const hash = createHash('sha256').update(seccompProfile()).digest('hex')
  return join(cache, `seccomp-${hash.slice(0, 16)}.json`)
}

interface Rule {
  readonly names: readonly string[]
  readonly action: 'SCMP_ACT_ERRNO'
  readonly errnoRet: number
  readonly args?: readonly object[]
}

function rules(): Rule[] {
  const always = Object.values(REFUSED_CALLS).flatMap((calls) => Object.keys(calls))
  return [
    refuse(always),
    // Its flags lie in memory, which no filter reads. Libraries try clone next.
    refuse(['clone3'], ENOSYS),
    ...NAMESPACES.map((bit) => refuse(['clone', 'unshare'], EPERM, hasBits(0, bit))),
    refuse(['unshare'], EPERM, hasBits(0, NEW_TIME)),
    ...[TIOCSTI, TIOCLINUX].map((request) => refuse(['ioctl'], EPERM, isLow(1, request))),
    ...rareFamilies().map((family) =>
      refuse(['socket', 'socketpair'], EAFNOSUPPORT, isLow(0, family)),
    ),
    // No rule compares an argument twice, so that asking which it is goes as well.
    refuse(['personality'], EPERM, { index: 0, value: 0, op: 'SCMP_CMP_NE' }),
  ]
}

function refuse(names: readonly string[], errnoRet = EPERM, ...args: readonly object[]): Rule {
  const action = 'SCMP_ACT_ERRNO'
  return { names, action, errnoRet, ...(args.length > 0 && { args }) }
}

function hasBits(index: number, bits: number): object {
  return { index, value: bits, valueTwo: bits, op: 'SCMP_CMP_MASKED_EQ' }
}

/** Of an `int`, whose upper half the kernel does not look at. */
function isLow(index: number, value: number): object {
  return { index, value: 0xffff_ffff, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' }
}

/** All that Linux has so far, and room, but AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK. */
function rareFamilies(): number[] {
  const common = new Set([1, 2, 10, 16])
  return Array.from({ length: 64 }, (_, family) => family).filter((family) => !common.has(family))
}

/** CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET. */
const NAMESPACES = [
  0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
]
/** A signal's number in `clone`. */
const NEW_TIME = 0x80
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97
