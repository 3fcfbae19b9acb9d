import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Message } from '../protocol/message.ts'
import type { Lease, Told } from './lease.ts'
import type { Priority } from './queue.ts'
import type { Shared } from './shared.ts'

/** What a lease asks of those that it is on. */
export interface Processes {
  /** The one for a call that begins. */
  choose(): Shared
  /** Another that runs, where the one that was chosen could not be started. */
  other(than: Shared): Shared | undefined
  /** A call of this one begins, or ends. */
  count(slot: Shared, call: Call | undefined, more: 1 | -1): void
  /** The lease was given back. */
  returned(lease: DaemonLease): void
}

/** A link's lease on all processes of a daemon; each call is on one of them. */
export class DaemonLease implements Lease, Told {
  readonly #processes: Processes
  readonly #link: Link
  readonly #priority: Priority | undefined
  readonly #leases = new Map<Shared, Lease>()
  readonly #calls = new Map<Call | undefined, Shared>()
  #released = false

  constructor(processes: Processes, link: Link, priority: Priority | undefined) {
    this.#processes = processes
    this.#link = link
    this.#priority = priority
  }

  /** A session has a lease on each of them, one request only on that which serves it. */
  join(slot: Shared): void {
    if (this.#link.kind === 'session') this.#on(slot)
  }

  begin(call?: Call): void {
    this.#put(call, this.#processes.choose())
  }

  connection(call?: Call): Connection | Promise<Connection> {
    const slot = this.#slotOf(call)
    const open = this.#on(slot).connection()
    return open instanceof Promise ? this.#opened(call, slot, open) : open
  }

  end(call?: Call): void {
    const slot = this.#slotOf(call)
    this.#calls.delete(call)
    this.#leases.get(slot)?.end()
    this.#processes.count(slot, call, -1)
  }

  current(): Told | undefined {
    return this
  }

  /** Which of them it is about is known to the one that has the call. */
  tell(link: Link, message: Message): void {
    for (const lease of this.#leases.values()) lease.current()?.tell(link, message)
  }

  doubt(connection: Connection): void {
    for (const lease of this.#leases.values()) lease.doubt(connection)
  }

  trust(connection: Connection): void {
    for (const lease of this.#leases.values()) lease.trust(connection)
  }

  condemn(connection: Connection, reason: string): void {
    for (const lease of this.#leases.values()) lease.condemn(connection, reason)
  }

  abandon(connection: Connection, reason: string): void {
    for (const lease of this.#leases.values()) lease.abandon(connection, reason)
  }

  release(reason: string): void {
    if (this.#released) return
    this.#released = true
    for (const lease of this.#leases.values()) lease.release(reason)
    this.#processes.returned(this)
  }

  #on(slot: Shared): Lease {
    const lease = this.#leases.get(slot) ?? slot.lease(this.#link, this.#priority)
    this.#leases.set(slot, lease)
    return lease
  }

  #put(call: Call | undefined, slot: Shared): void {
    this.#calls.set(call, slot)
    this.#on(slot).begin(call)
    this.#processes.count(slot, call, 1)
  }

  #slotOf(call: Call | undefined): Shared {
    const slot = this.#calls.get(call)
    if (slot === undefined) throw new Error('no such call has begun')
    return slot
  }

  /** One more that cannot be started is no reason for a call to fail. */
  async #opened(
    call: Call | undefined,
    slot: Shared,
    open: Promise<Connection>,
  ): Promise<Connection> {
    try {
      return await open
    } catch (error) {
      const other = this.#processes.other(slot)
      if (other === undefined || this.#calls.get(call) !== slot) throw error
      this.#on(slot).end()
      this.#processes.count(slot, call, -1)
      this.#put(call, other)
      return this.connection(call)
    }
  }
}
