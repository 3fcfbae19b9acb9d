import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readAccount } from './accounts.ts'
import { memoryBreach, processesBreach } from './breaches.ts'
import { endGroup, membersOf } from './cgroup-end.ts'
import type { Dialect, Met, Places } from './cgroups.ts'
import type { Accounts, Bounds, LimitGroup } from './limits.ts'
import { Rounds } from './rounds.ts'

export interface CgroupOptions {
  readonly dialect: Dialect
  readonly places: Places
  /** Each of `places` once. */
  readonly folders: readonly string[]
  readonly bounds: Bounds
  /** What moving into it waits for; it never rejects. */
  readonly moving?: Promise<void> | undefined
}

/** A group of the kernel's, of either version. */
export class CgroupGroup implements LimitGroup {
  readonly #options: CgroupOptions
  #met: Met = { memory: undefined, processes: false }
  #usage: Accounts | null = null
  #removed = false
  #end: ((why: string) => void) | undefined

  constructor(options: CgroupOptions) {
    this.#options = options
  }

  get entrance(): readonly string[] {
    const { dialect, folders } = this.#options
    return dialect.entrance(folders)
  }

  async enter(pids: readonly number[]): Promise<void> {
    // Whoever writes 0 enters himself.
    if (!pids.every((pid) => pid > 1 && pid !== process.pid)) throw new Error('no pids of a cell')
    await this.#options.moving
    for (const folder of this.#options.folders) {
      const there = membersOf(folder)
      const missing = pids.filter((pid) => !there.includes(pid))
      for (const pid of missing) await writeFile(join(folder, 'cgroup.procs'), String(pid))
    }
  }

  breach(): string | undefined {
    const { dialect, places, bounds } = this.#options
    if (!this.#removed) this.#met = dialect.met(places)
    if (this.#met.memory === 'own') return memoryBreach(bounds.memory)
    if (this.#met.memory === 'host') return 'the host had no memory left for it'
    return this.#met.processes ? processesBreach(bounds.processes) : undefined
  }

  /** The kernel kills one process for want of memory, and the others would go on without it. */
  onBreach(end: (why: string) => void): void {
    this.#end = end
    if (!this.#removed) rounds.add(this)
  }

  /** Being refused one more process is for the tool to deal with; it is not ended for that. */
  look(): void {
    const why = this.breach()
    if (why === undefined || this.#met.memory === undefined) return
    rounds.delete(this)
    this.#end?.(why)
  }

  usage(): Accounts | null {
    const { dialect, places } = this.#options
    if (!this.#removed) this.#usage = dialect.usage(places)
    return this.#usage
  }

  members(): number[] {
    return membersOf(this.#options.folders[0] ?? '')
  }

  async remove(): Promise<void> {
    rounds.delete(this)
    if (this.#removed) return
    this.breach()
    this.usage()
    this.#removed = true
    await Promise.all(this.#options.folders.map((folder) => endGroup(folder)))
  }
}

const rounds = new Rounds<CgroupGroup>(async (groups, slice) => {
  if (!hasKilled()) return false
  for (const group of groups) {
    group.look()
    if (slice.over) await slice.rest()
  }
  return false
})

/**
 * Whether the kernel has killed anything for want of memory, on this whole system, since the round
 * before the last: without that, which is nearly always, no group has to be looked at.
 */
function hasKilled(): boolean {
  const [, count] = /^oom_kill (\d+)$/m.exec(readAccount('/proc/vmstat')) ?? []
  // The count of the group may follow a moment later, so two rounds look.
  const known = count !== undefined && kills.every((each) => each === count)
  kills = [count, kills[0]]
  return !known
}

let kills: (string | undefined)[] = [undefined, undefined]
