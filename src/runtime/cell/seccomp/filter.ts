import { ABSENT, ALLOW, KILL, REFUSE } from './answers.ts'
import { assemble, type Block, read, when } from './assemble.ts'
import { CONDITIONS } from './conditions.ts'
import { type Numbers, REFUSED_CALLS } from './refused.ts'

/**
 * The filter of system calls that every program of a cell runs under, for a processor as Node names
 * it: the kernel's `struct sock_filter[]`, as bubblewrap takes it. Undefined where there is none.
 */
export function seccompFilter(arch: string): Uint8Array<ArrayBuffer> | undefined {
  if (arch !== 'x64' && arch !== 'arm64') return undefined
  filters[arch] ??= filterFor(arch)
  return filters[arch]
}

/** What it refuses, in words for people. */
export const REFUSED: readonly string[] = [
  ...new Set([...Object.keys(REFUSED_CALLS), ...CONDITIONS.map(({ what }) => what)]),
  'calls newer than Linux 6.17',
  '32-bit programs',
]

const filters: Partial<Record<keyof Numbers, Uint8Array<ArrayBuffer>>> = {}

function filterFor(arch: keyof Numbers): Uint8Array<ArrayBuffer> {
  const { audit, unknown } = PROCESSORS[arch]
  const numbers = search(ranges(answers(arch, unknown)))
  return assemble(read(ARCH, when('equal', audit, read(NUMBER, numbers), KILL)))
}

/** Places in the kernel's `struct seccomp_data`. */
const NUMBER = 0
const ARCH = 4

/** `file_setattr`, of Linux 6.17. What is newer than this list is not to be a way out of the cell. */
const LAST = 469

interface Processor {
  /** `AUDIT_ARCH_*`: a 64-bit program can also make the calls of 32-bit ones, by other numbers. */
  readonly audit: number
  /** First and last of numbers that are not given to anything yet. */
  readonly unknown: readonly (readonly [number, number])[]
}

const PROCESSORS: Readonly<Record<keyof Numbers, Processor>> = {
  x64: { audit: 0xc000_003e, unknown: [[337, 423]] },
  arm64: {
    audit: 0xc000_00b7,
    unknown: [
      [244, 259],
      [295, 423],
    ],
  },
}

/** What is answered to each number, up to the first that is not known and stands for all after it. */
function answers(arch: keyof Numbers, unknown: Processor['unknown']): readonly Block[] {
  const all: Block[] = Array.from({ length: LAST + 1 }, () => ALLOW)
  const put = (calls: Readonly<Record<string, Numbers>>, answer: Block) => {
    for (const { [arch]: number } of Object.values(calls)) {
      if (number !== undefined) all[number] = answer
    }
  }
  for (const calls of Object.values(REFUSED_CALLS)) put(calls, REFUSE)
  for (const { calls, answer } of CONDITIONS) put(calls, answer)
  for (const [first, last] of unknown) all.fill(ABSENT, first, last + 1)
  // The calls of the x32 ABI, which are numbered from 0x40000000, are among these.
  return [...all, ABSENT]
}

interface Range {
  readonly from: number
  readonly answer: Block
}

function ranges(answers: readonly Block[]): readonly Range[] {
  return answers
    .map((answer, from) => ({ from, answer }))
    .filter(({ from, answer }) => answer !== answers[from - 1])
}

/** About seven comparisons lead to any number. */
function search(ranges: readonly Range[]): Block {
  const middle = ranges.length >> 1
  const { from, answer } = ranges[middle] as Range
  if (middle === 0) return answer
  return when('atLeast', from, search(ranges.slice(middle)), search(ranges.slice(0, middle)))
}
