import type { Link } from '../call/link.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Lease } from './lease.ts'
import type { Shared } from './shared.ts'

/** A link's lease on a process that it shares. */
export class SharedLease implements Lease {
  readonly #shared: Shared
  readonly #link: Link
  #released = false

  constructor(shared: Shared, link: Link) {
    this.#shared = shared
    this.#link = link
  }

  connection(): Connection | Promise<Connection> {
    return this.#shared.connection(this.#link)
  }

  current(): Connection | undefined {
    return this.#shared.current
  }

  begin(): void {
    this.#shared.begin()
  }

  end(): void {
    this.#shared.end()
  }

  doubt(connection: Connection): void {
    this.#shared.doubt(connection)
  }

  trust(connection: Connection): void {
    this.#shared.trust(connection)
  }

  condemn(connection: Connection, reason: string): void {
    this.#shared.condemn(connection, reason)
  }

  abandon(connection: Connection, reason: string): void {
    this.#shared.abandon(connection, reason)
  }

  release(reason: string): void {
    if (this.#released) return
    this.#released = true
    this.#shared.leave(this.#link, reason)
  }
}
