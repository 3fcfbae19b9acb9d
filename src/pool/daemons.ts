import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { Backoff } from './backoff.ts'
import { DaemonLease, type Processes } from './daemon-lease.ts'
import type { Lease, Leased } from './lease.ts'
import type { Priority } from './queue.ts'
import type { Among, Shared } from './shared.ts'

export interface DaemonsOptions {
  /** One process more, not started yet; `unused` is called as that of a shared one is. */
  slot(unused: () => void, among: Among): Shared
  readonly instances: { readonly min: number; readonly max: number }
  /** Of all of them. */
  readonly backoff: Backoff
  /** The caps leave room for one more. */
  hasRoom(): boolean
  /** Somebody has subscribed to a resource of theirs. */
  listened(): boolean
  /** Called when no process is left or has to be there, and nobody has a lease. */
  unused(): void
}

/**
 * The processes of a daemon that has several: a call is given the one with the fewest open calls,
 * and of equals the one used last, so that those nobody needs become idle. One more is started
 * when all are busy. Their clients have all of them in common.
 */
export class Daemons implements Leased, Among, Processes {
  readonly #options: DaemonsOptions
  /** What was used last is last. */
  readonly #slots: Shared[] = []
  /** How many calls each has; a listen is none of the tool's. */
  readonly #open = new Map<Shared, number>()
  readonly #leases = new Set<DaemonLease>()
  #again: NodeJS.Timeout | undefined
  #keeping = false
  #over = false

  constructor(options: DaemonsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#running
  }

  lease(link: Link, priority?: Priority): Lease {
    const lease = new DaemonLease(this, link, priority)
    for (const slot of this.#slots) lease.join(slot)
    this.#leases.add(lease)
    return lease
  }

  returned(lease: DaemonLease): void {
    this.#leases.delete(lease)
    this.#endIfUnused()
  }

  /** Starts what is lacking of the least there are to be, one by one; one that ended is replaced. */
  keep(): void {
    const { min } = this.#options.instances
    if (min === 0 || this.#over || this.#keeping || this.#running >= min) return
    const wait = this.#options.backoff.wait
    if (wait > 0 || !this.#options.hasRoom()) {
      this.#keepLater(wait)
      return
    }
    this.#keeping = true
    const slot = this.#slots.find((each) => !each.ready) ?? this.#add()
    void slot
      .wake()
      .then(
        () => true,
        () => false,
      )
      .then((started) => {
        this.#keeping = false
        if (started) this.keep()
        else this.#keepLater(this.#options.backoff.wait)
      })
  }

  retire(): void {
    this.#stop()
    for (const slot of [...this.#slots]) slot.retire()
    this.#endIfUnused()
  }

  giveWay(): boolean {
    return this.#slots.some((slot) => slot.giveWay())
  }

  async close(reason: string): Promise<void> {
    this.#stop()
    await Promise.all(this.#slots.map((slot) => slot.close(reason)))
  }

  stays(slot: Shared): boolean {
    if (this.#over || !slot.ready) return false
    const { instances, listened } = this.#options
    return this.#running <= Math.max(instances.min, listened() ? 1 : 0)
  }

  /** Others have no call fewer only because this one has none. */
  instead(): boolean {
    return false
  }

  ended(): void {
    this.keep()
  }

  choose(): Shared {
    const { instances, backoff, hasRoom } = this.#options
    let least: Shared | undefined
    let calls = 0
    for (const slot of this.#slots) {
      const open = this.#open.get(slot) ?? 0
      if (!slot.ready || (least !== undefined && open > calls)) continue
      least = slot
      calls = open
    }
    if (least !== undefined) {
      const grows = this.#running < instances.max && backoff.wait === 0
      if (calls === 0 || !grows || !hasRoom()) return least
    }
    return this.#slots.find((each) => !each.ready) ?? this.#add()
  }

  other(than: Shared): Shared | undefined {
    return this.#slots.find((each) => each !== than && each.running)
  }

  count(slot: Shared, call: Call | undefined, more: 1 | -1): void {
    if (call?.request.method !== 'subscriptions/listen') {
      this.#open.set(slot, (this.#open.get(slot) ?? 0) + more)
    }
    const at = this.#slots.indexOf(slot)
    if (at >= 0) this.#slots.push(...this.#slots.splice(at, 1))
  }

  get #running(): number {
    let running = 0
    for (const slot of this.#slots) if (slot.ready) running += 1
    return running
  }

  #add(): Shared {
    const slot: Shared = this.#options.slot(() => {
      const at = this.#slots.indexOf(slot)
      if (at >= 0) this.#slots.splice(at, 1)
      this.#open.delete(slot)
      this.keep()
      this.#endIfUnused()
    }, this)
    this.#slots.push(slot)
    // A session is told of what changes in any of them.
    for (const lease of this.#leases) lease.join(slot)
    if (this.#over) slot.retire()
    return slot
  }

  #keepLater(wait: number): void {
    clearTimeout(this.#again)
    this.#again = setTimeout(() => this.keep(), Math.max(wait, RETRY)).unref()
  }

  #stop(): void {
    this.#over = true
    clearTimeout(this.#again)
  }

  #endIfUnused(): void {
    const needed = !this.#over && this.#options.instances.min > 0
    if (this.#slots.length === 0 && this.#leases.size === 0 && !needed) this.#options.unused()
  }
}

/** Milliseconds after which what could not be started is tried again at the earliest. */
const RETRY = 250
