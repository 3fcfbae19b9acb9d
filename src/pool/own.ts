import type { Link } from '../call/link.ts'
import type { LegacyConnection } from '../outbound/legacy.ts'
import type { Instance } from './instance.ts'
import type { Lease } from './lease.ts'
import type { Refill } from './refill.ts'

/** A session's lease on a process of its own: with the one ends the other. */
export class OwnLease implements Lease {
  readonly #instance: Instance<LegacyConnection>
  readonly #link: Link
  readonly #refill: Refill
  readonly #freed: () => void
  #begun = 0

  /** `freed` is called when its process has been told to end. */
  constructor(instance: Instance<LegacyConnection>, link: Link, refill: Refill, freed: () => void) {
    this.#instance = instance
    this.#link = link
    this.#refill = refill
    this.#freed = freed
    refill.enter(this)
    instance.connection.attach(link)
    void instance.process.closed.then(({ reason }) => {
      refill.settled(this)
      link.ended(reason)
    })
  }

  connection(): LegacyConnection {
    return this.#instance.connection
  }

  current(): LegacyConnection {
    return this.#instance.connection
  }

  /** Until it has its first answers a session is being set up, and no spare is started. */
  begin(): void {
    if (this.#begun >= FIRST) return
    this.#begun += 1
    this.#refill.enter(this)
  }

  end(): void {
    this.#refill.settled(this)
  }

  doubt(): void {}

  trust(): void {}

  condemn(_connection: unknown, reason: string): void {
    void this.#instance.process.kill(reason)
    this.#freed()
    // Its session is over now, not only when the kernel says so.
    this.#link.ended(reason)
  }

  /** It waits as it should, and may have something to put away. */
  abandon(_connection: unknown, reason: string): void {
    void this.#instance.process.close(reason)
    this.#freed()
  }

  release(reason: string): void {
    this.#instance.connection.detach(this.#link, reason)
    void this.#instance.process.close(reason)
    this.#refill.settled(this)
    this.#freed()
  }
}

/** Calls of a session that count as its set-up: initialize, and what it lists. */
const FIRST = 2
