import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Lease, Leased } from './lease.ts'
import type { Priority } from './queue.ts'
import type { Among, Shared } from './shared.ts'

export interface ExclusiveOptions {
  /** One process more, not started yet; `unused` is called as that of a shared one is. */
  slot(unused: () => void, among: Among): Shared
  /** Somebody waits for a process of the tool. */
  contended(): boolean
  /** Called when no process is left and nobody has a lease. */
  unused(): void
}

interface Held {
  readonly link: Link
  readonly priority: Priority | undefined
  slot: Shared
  lease: Lease
  call: Call | undefined
}

/**
 * Processes with one call in flight each, all initialized alike. A call is given the free one that
 * was used last, so that those nobody needs become idle and are stopped; else a new one. One whose
 * call was given up is given no other until it has answered that.
 */
export class Exclusive implements Leased, Among {
  readonly #options: ExclusiveOptions
  /** What was used last is last. */
  readonly #slots: Shared[] = []
  /** Whose call each is busy with. */
  readonly #busy = new Map<Shared, Held>()
  #leases = 0
  #retired = false

  constructor(options: ExclusiveOptions) {
    this.#options = options
  }

  /** The lease is on a process from `begin` to `end`; its link has one call at a time. */
  lease(link: Link, priority?: Priority): Lease {
    this.#leases += 1
    let held: Held | undefined
    let calls = 0
    let released = false
    return {
      begin: (call) => {
        if (calls === 0) held = this.#take(link, call, priority)
        calls += 1
        held?.lease.begin(call)
      },
      connection: () => {
        if (held !== undefined && calls > 0) return this.#connection(held)
        throw new ToolgateError('bad_request', 'No call has begun.')
      },
      current: () => (calls > 0 ? held?.lease.current() : undefined),
      end: () => {
        held?.lease.end()
        calls -= 1
        if (held === undefined || calls > 0) return
        held.lease.release('its call has ended')
        this.#free(held)
      },
      // What a call was found to be out of time with is looked at after its end.
      doubt: (connection) => held?.lease.doubt(connection),
      trust: (connection) => held?.lease.trust(connection),
      condemn: (connection, reason) => held?.lease.condemn(connection, reason),
      abandon: (connection, reason) => held?.lease.abandon(connection, reason),
      release: (reason) => {
        if (released) return
        released = true
        if (calls > 0) held?.lease.release(reason)
        this.#leases -= 1
        this.#endIfUnused()
      },
    }
  }

  retire(): void {
    this.#retired = true
    for (const slot of [...this.#slots]) slot.retire()
  }

  giveWay(): boolean {
    return this.#slots.some((slot) => !this.#busy.has(slot) && slot.giveWay())
  }

  async close(reason: string): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.close(reason)))
  }

  get size(): number {
    return this.#slots.filter((slot) => slot.ready).length
  }

  stays(): boolean {
    return false
  }

  ended(): void {}

  /** A process became free while the call waits for one of its own to be started. */
  instead(slot: Shared): boolean {
    const held = this.#busy.get(slot)
    const free = held && this.#findFree(false)
    if (held === undefined || free === undefined) return false
    this.#busy.delete(slot)
    this.#busy.set(free, held)
    const { lease } = held
    held.slot = free
    held.lease = free.lease(held.link, held.priority)
    held.lease.begin(held.call)
    lease.end()
    lease.release('another process became free')
    return true
  }

  #connection(held: Held): Connection | Promise<Connection> {
    const open = held.lease.connection()
    return open instanceof Promise ? this.#opened(held, open) : open
  }

  async #opened(held: Held, open: Promise<Connection>): Promise<Connection> {
    const { slot } = held
    try {
      return await open
    } catch (error) {
      if (held.slot === slot) throw error
      return this.#connection(held)
    }
  }

  #take(link: Link, call: Call | undefined, priority: Priority | undefined): Held {
    const listens = call?.request.method === 'subscriptions/listen'
    const free = this.#isWaitedFor && !listens ? undefined : this.#findFree(listens)
    const slot = free ?? this.#add()
    const lease = slot.lease(link, priority)
    if (this.#retired) slot.retire()
    const held = { link, priority, slot, lease, call }
    if (!listens) this.#busy.set(slot, held)
    return held
  }

  /**
   * Who comes now is served in turn: calls of this place may wait for one that is free, and of
   * several processes one may be needed by another caller.
   */
  get #isWaitedFor(): boolean {
    if (!this.#options.contended()) return false
    return this.size > 1 || this.#slots.some((slot) => slot.waiting)
  }

  /** A listen is no call of the tool's, so it keeps no process from serving one. */
  #findFree(listens: boolean): Shared | undefined {
    return this.#slots.findLast(
      (each) => each.ready && !each.owes && (listens || !this.#busy.has(each)),
    )
  }

  #add(): Shared {
    const slot: Shared = this.#options.slot(() => {
      const at = this.#slots.indexOf(slot)
      if (at >= 0) this.#slots.splice(at, 1)
      this.#endIfUnused()
    }, this)
    this.#slots.push(slot)
    return slot
  }

  #free(held: Held): void {
    const { slot } = held
    if (this.#busy.get(slot) !== held) return
    this.#busy.delete(slot)
    const at = this.#slots.indexOf(slot)
    if (at >= 0) this.#slots.push(...this.#slots.splice(at, 1))
    if (slot.owes) this.#letGo(slot)
  }

  /** Its call was given up: a tool that goes on with it might ask the next one's client about it. */
  #letGo(slot: Shared): void {
    // Some answer what was cancelled, and are as good as new then.
    setTimeout(() => slot.owes && slot.retire(), LAST_WORDS).unref()
  }

  #endIfUnused(): void {
    if (this.#slots.length === 0 && this.#leases === 0) this.#options.unused()
  }
}

/** Milliseconds in which a tool may still answer a call that was given up. */
const LAST_WORDS = 500
