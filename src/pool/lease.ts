import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Era } from '../protocol/message.ts'
import type { Priority } from './queue.ts'

/** Which eras a tool speaks. */
export interface Spoken {
  readonly era: Era
  /** It speaks modern, and serves a legacy session too. */
  readonly dual: boolean
}

export interface LeaseOptions {
  /** Default `interactive`. */
  readonly priority?: Priority
  /** It is one of our own, which no cap is for. */
  readonly uncounted?: boolean
}

/** A link's right to use an instance. */
export interface Lease {
  /** What to speak through now; a promise where a process has to be started first. */
  connection(call?: Call): Connection | Promise<Connection>
  /** Who can be told something now; nothing is started for it. */
  current(): Told | undefined
  /**
   * A call begins or ends; what is unused for its tool's `idle` is stopped. `connection` is asked
   * for in between, with the same call. No call: a request of our own.
   */
  begin(call?: Call): void
  end(call?: Call): void
  /** It may hang: until that is known, new calls of a shared one go to another. */
  doubt(connection: Connection): void
  /** It does not hang after all. */
  trust(connection: Connection): void
  /** What it was leased from answers nothing any more: it is ended, a shared one is replaced. */
  condemn(connection: Connection, reason: string): void
  /** Its client never answered what it asked: what serves nobody else is ended. */
  abandon(connection: Connection, reason: string): void
  /** Gives it back; an instance of the link's own is ended. */
  release(reason: string): void
}

export type Told = Pick<Connection, 'tell'>

/** What links are leased from: the processes of one place. */
export interface Leased {
  lease(link: Link, priority?: Priority): Lease
  /** No more leases are to be taken; it ends when the last one is given back. */
  retire(): void
  /** Ends a process that serves nothing now, for another of its caller's; false: there is none. */
  giveWay(): boolean
  /** Processes that run, or soon will. */
  readonly size: number
  /** Ends its processes; resolves when they are gone. */
  close(reason: string): Promise<void>
}
