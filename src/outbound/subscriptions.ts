import type { Link } from '../call/link.ts'

/** Who has subscribed to which resource of a shared process, counted. */
export class Subscriptions {
  readonly #links = new Map<string, Set<Link>>()

  /** True when this is the first: the process has to be told. */
  join(link: Link, uri: string): boolean {
    const links = this.#links.get(uri)
    if (links !== undefined) {
      links.add(link)
      return false
    }
    this.#links.set(uri, new Set([link]))
    return true
  }

  /** True when this was the last: the process has to be told. */
  part(link: Link, uri: string): boolean {
    const links = this.#links.get(uri)
    if (links?.delete(link) !== true || links.size > 0) return false
    this.#links.delete(uri)
    return true
  }

  /** Takes a link out everywhere; the uris that nobody is left for. */
  leave(link: Link): string[] {
    return [...this.#links.keys()].filter((uri) => this.part(link, uri))
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
