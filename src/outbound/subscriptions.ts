import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { JsonObject, Message } from '../protocol/message.ts'

/** A process that is told what is subscribed to; a modern one listens to all that there is. */
export interface Subscribed {
  /** Whether it agreed; never rejects. */
  quietly(method: string, params: JsonObject): Promise<boolean>
}

/** A listen of a modern client, kept on our side of a legacy process. */
export interface Listening {
  /** A list of the tool changed. */
  changed(message: Message): void
  /** A resource that it subscribed to was updated. */
  updated(message: Message): void
}

/**
 * Who has subscribed to which resource of a tool, counted; of one process, or of all those that
 * serve the same clients.
 */
export class Subscriptions {
  /** Those that run now. */
  readonly processes = new Set<Subscribed>()
  /** By the link of each; whichever process tells the news. */
  readonly listens = new Map<Link, Listening>()
  readonly #links = new Map<string, Set<Link>>()
  readonly #uris = new Map<Link, Set<string>>()

  /** True when this is the first: the process has to be told. Throws `invalid_params`. */
  join(link: Link, uri: string): boolean {
    const uris = this.#uris.get(link) ?? new Set()
    if (uris.size >= MOST_SUBSCRIPTIONS && !uris.has(uri)) {
      throw new ToolgateError(
        'invalid_params',
        `At most ${MOST_SUBSCRIPTIONS} resources can be subscribed to.`,
      )
    }
    this.#uris.set(link, uris.add(uri))
    const links = this.#links.get(uri) ?? new Set()
    this.#links.set(uri, links.add(link))
    return links.size === 1
  }

  /** True when this was the last: the process has to be told. */
  part(link: Link, uri: string): boolean {
    const uris = this.#uris.get(link)
    uris?.delete(uri)
    if (uris?.size === 0) this.#uris.delete(link)
    const links = this.#links.get(uri)
    if (links?.delete(link) !== true || links.size > 0) return false
    this.#links.delete(uri)
    return true
  }

  /** Takes a link out everywhere; the uris that nobody is left for. */
  leave(link: Link): string[] {
    return [...(this.#uris.get(link) ?? [])].filter((uri) => this.part(link, uri))
  }

  /** Tells all processes; resolves with whether `own` agreed. */
  tell(own: Subscribed, method: string, uri: string): Promise<boolean> {
    this.tellOthers(own, method, uri)
    return own.quietly(method, { uri })
  }

  /** The same for all but the one that knows already. */
  tellOthers(own: Subscribed, method: string, uri: string): void {
    for (const other of this.processes) if (other !== own) void other.quietly(method, { uri })
  }

  uris(): Iterable<string> {
    return this.#links.keys()
  }

  get any(): boolean {
    return this.#links.size > 0
  }

  of(uri: string): Iterable<Link> {
    return this.#links.get(uri) ?? []
  }

  /** Who has subscribed to a resource that was updated, or to one it is part of; each once. */
  concernedBy(uri: string): Iterable<Link> {
    if (!this.any) return []
    const found = new Set(this.of(uri))
    let part = uri
    for (let depth = 0; depth < MOST_DEPTH; depth += 1) {
      const cut = Math.max(...['/', '?', '#'].map((mark) => part.lastIndexOf(mark)))
      if (cut < 0) break
      part = part.slice(0, cut)
      for (const whole of [part, `${part}/`]) {
        for (const link of this.of(whole)) found.add(link)
      }
    }
    return found
  }
}

/** For one link. */
export const MOST_SUBSCRIPTIONS = 256

/** Parts within parts of a resource that are looked at. */
const MOST_DEPTH = 32
