import type { Link } from '../call/link.ts'
import type { LegacyConnection } from '../outbound/legacy.ts'
import type { Instance } from './instance.ts'
import type { Lease } from './lease.ts'

/** A session's lease on a process of its own: with the one ends the other. */
export class OwnLease implements Lease {
  readonly #instance: Instance<LegacyConnection>
  readonly #link: Link

  constructor(instance: Instance<LegacyConnection>, link: Link) {
    this.#instance = instance
    this.#link = link
    instance.connection.attach(link)
    void instance.process.closed.then(({ reason }) => link.ended(reason))
  }

  connection(): LegacyConnection {
    return this.#instance.connection
  }

  current(): LegacyConnection {
    return this.#instance.connection
  }

  begin(): void {}

  end(): void {}

  doubt(): void {}

  trust(): void {}

  condemn(_connection: unknown, reason: string): void {
    void this.#instance.process.kill(reason)
    // Its session is over now, not only when the kernel says so.
    this.#link.ended(reason)
  }

  /** It waits as it should, and may have something to put away. */
  abandon(_connection: unknown, reason: string): void {
    void this.#instance.process.close(reason)
  }

  release(reason: string): void {
    this.#instance.connection.detach(this.#link, reason)
    void this.#instance.process.close(reason)
  }
}
