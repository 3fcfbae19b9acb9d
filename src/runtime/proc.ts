import { closeSync, openSync, readSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { MARK } from '../mark.ts'

/** What Linux says of a process in `/proc/{pid}/stat` (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly threads: number
  /** Resident memory in pages, what it shares with others included. */
  readonly pages: number
  /** CPU time in clock ticks, user and system, its own and that of children it has waited for. */
  readonly ticks: number
  /** Clock ticks from boot to its start: with its id it is one process, however often ids recur. */
  readonly start: string
}

/** Undefined for a process that is gone; throws where that cannot be told. */
export async function readStat(pid: number | 'self'): Promise<ProcessStat | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** The same at once, for what must be true at the very moment; undefined also where it cannot be told. */
export function readStatNow(pid: number | 'self'): ProcessStat | undefined {
  try {
    return parseStat(readNow(`/proc/${pid}/stat`))
  } catch {
    return undefined
  }
}

/**
 * A file that the kernel writes, read at once; throws where it is not there. With half of the system
 * calls that a file of unknown size takes, for what is read often.
 */
export function readNow(path: string): string {
  const file = openSync(path, 'r')
  try {
    let text = ''
    for (;;) {
      const length = readSync(file, buffer, 0, buffer.length, null)
      if (length === 0) return text
      text += buffer.toString('latin1', 0, length)
    }
  } finally {
    closeSync(file)
  }
}

const buffer = Buffer.allocUnsafe(8192)

function parseStat(text: string): ProcessStat {
  // The name may hold anything, so what follows it is found from the end.
  const [state = '', parent, group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [user, system, childrenUser, childrenSystem] = rest.slice(8, 12).map(Number)
  const ticks = (user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0)
  const [threads, pages] = [Number(rest[14]), Number(rest[18])]
  return {
    state,
    parent: Number(parent),
    group: Number(group),
    threads,
    pages,
    ticks,
    start: rest[16] ?? '',
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}

/**
 * Every process whose environment we may read and that carries a mark, one file after the other
 * and never in one turn: there may be thousands, and one of them may keep its reader waiting.
 */
export async function* markedProcesses(): AsyncGenerator<{ pid: number; mark: string }> {
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const mark = await markIn(pid)
    if (mark !== undefined) yield { pid, mark }
  }
}

/** Undefined too for what is not ours to read, and for what has ended: its environment is empty. */
export async function markIn(pid: number): Promise<string | undefined> {
  const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
  const at = environ.startsWith(`${MARK}=`) ? 0 : environ.indexOf(`\0${MARK}=`) + 1
  if (at === 0 && !environ.startsWith(`${MARK}=`)) return undefined
  const end = environ.indexOf('\0', at)
  return environ.slice(at + MARK.length + 1, end < 0 ? undefined : end)
}
