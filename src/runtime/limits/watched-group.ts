import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { readStatNow } from '../proc.ts'
import { numberAfter, readAccount } from './accounts.ts'
import { memoryBreach, processesBreach } from './breaches.ts'
import { type Family, familyBelow, type Relative } from './family.ts'
import type { Accounts, Bounds, LimitGroup } from './limits.ts'
import { Rounds } from './rounds.ts'
import type { Watched } from './watchdog.ts'

/** The processes below the first one of a cell, looked at twice a second or more often. */
export class WatchedGroup implements LimitGroup {
  readonly entrance: readonly string[] = []
  readonly #bounds: Bounds
  readonly #watched: Watched
  #leader: { readonly pid: number; readonly start: string } | undefined
  #breach: string | undefined
  #end: ((why: string) => void) | undefined

  constructor(bounds: Bounds, watched: Watched) {
    this.#bounds = bounds
    this.#watched = watched
  }

  async enter(pids: readonly number[]): Promise<void> {
    const pid = pids.at(-1) ?? 0
    const stat = readStatNow(pid)
    if (stat === undefined) throw new Error('there is no such process')
    this.#leader = { pid, start: stat.start }
    rounds.add(this)
  }

  breach(): string | undefined {
    return this.#breach
  }

  onBreach(end: (why: string) => void): void {
    this.#end = end
    if (this.#breach !== undefined) end(this.#breach)
  }

  /** Its processes, as far as they are in `all`; true where they are near their bounds. */
  look(all: Family): boolean {
    const leader = this.#leader
    // Its id may have been given out again.
    if (leader === undefined || all.get(leader.pid)?.start !== leader.start) return false
    const found = familyBelow(leader.pid, all)
    const threads = sum(found, ({ threads }) => threads)
    const { memory, processes } = this.#bounds
    const resident = sum(found, ({ pages }) => pages) * PAGE
    if (this.#watched.processes && threads > processes) this.#found(processesBreach(processes))
    // What they share, such as the program itself, is counted for each, and is looked at closely.
    else if (this.#watched.memory && resident > memory && this.#own(found) > memory) {
      this.#found(memoryBreach(memory))
    }
    return resident > memory / 4 || threads > processes / 2
  }

  usage(): Accounts | null {
    return null
  }

  members(): number[] {
    const leader = this.#leader
    if (leader === undefined || readStatNow(leader.pid)?.start !== leader.start) return []
    return [leader.pid, ...familyBelow(leader.pid).map(({ pid }) => pid)]
  }

  async remove(): Promise<void> {
    rounds.delete(this)
  }

  #found(why: string): void {
    this.#breach ??= why
    rounds.delete(this)
    this.#end?.(this.#breach)
  }

  /** Bytes that are in no file: what was written, and memory that is shared. */
  #own(found: readonly Relative[]): number {
    return sum(found, ({ pid }) => {
      const status = readAccount(`/proc/${pid}/status`)
      return (numberAfter(status, 'RssAnon') + numberAfter(status, 'RssShmem')) * 1024
    })
  }
}

const rounds = new Rounds<WatchedGroup>(async (groups, slice) => {
  const all: Family = new Map()
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? readStatNow(pid) : undefined
    if (stat !== undefined) all.set(pid, { pid, ...stat })
    if (slice.over) await slice.rest()
  }
  let near = false
  for (const group of groups) {
    near = group.look(all) || near
    if (slice.over) await slice.rest()
  }
  return near
})

function sum(found: readonly Relative[], of: (each: Relative) => number): number {
  return found.reduce((total, each) => total + of(each), 0)
}

const PAGE = pageSize()

/** Bytes: the number after AT_PAGESZ (6) in what the kernel tells each program (getauxval(3)). */
function pageSize(): number {
  try {
    const vector = readFileSync('/proc/self/auxv')
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8))
    }
  } catch {
    // Not Linux, where nothing is watched.
  }
  return 4096
}
