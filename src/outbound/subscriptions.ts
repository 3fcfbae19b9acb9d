import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'

/** Who has subscribed to which resource of a shared process, counted. */
export class Subscriptions {
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

  uris(): Iterable<string> {
    return this.#links.keys()
  }

  get any(): boolean {
    return this.#links.size > 0
  }

  of(uri: string): Iterable<Link> {
    return this.#links.get(uri) ?? []
  }
}

/** For one link. */
export const MOST_SUBSCRIPTIONS = 256
