import type { Link } from '../call/link.ts'
import type { Id } from '../protocol/message.ts'

/** The links that share a process, and what each has open, by the ids of its client. */
export class Links<T> {
  // No Map: see `Ring`, for single requests are links as well.
  readonly #open = new WeakMap<Link, Map<Id, T>>()
  readonly #sessions = new Set<Link>()
  #size = 0

  /** Sessions of legacy clients: they hear what is said outside calls. */
  get sessions(): Iterable<Link> {
    return this.#sessions
  }

  /** The session that has the process for itself. */
  get onlySession(): Link | undefined {
    return this.#size === 1 ? this.#sessions.values().next().value : undefined
  }

  attach(link: Link): void {
    if (this.#open.has(link)) return
    this.#open.set(link, new Map())
    this.#size += 1
    if (link.kind === 'session' && link.era === 'legacy') this.#sessions.add(link)
  }

  /** What it has open; undefined: it is not attached. */
  of(link: Link): Map<Id, T> | undefined {
    return this.#open.get(link)
  }

  detach(link: Link): void {
    if (!this.#open.delete(link)) return
    this.#size -= 1
    this.#sessions.delete(link)
  }
}
