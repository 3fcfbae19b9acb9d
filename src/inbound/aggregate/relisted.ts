import type { CallTrace } from '../../call/call.ts'
import type { JsonObject } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { within } from '../../within.ts'
import { type Better, versionOf } from './directories.ts'
import { KINDS, type Kind, type Lists } from './lists.ts'
import type { SessionLinks } from './session-links.ts'
import type { ToolLink } from './tool-link.ts'

/**
 * What processes of one session's own have listed since they said that their lists changed: they
 * know better than the catalogue, which speaks of a process that nobody has talked to.
 */
export class Relisted {
  readonly #links: SessionLinks
  readonly #late: () => void
  readonly #known = new Map<ToolLink, Partial<Lists>>()
  /** Those that are being asked, each once at a time. */
  readonly #asking = new Map<ToolLink, Promise<void>>()
  /** Another object when anything in it is new. */
  better: Better = new Map()

  /** `late`: called when something is known that was not waited for any more. */
  constructor(links: SessionLinks, late: () => void) {
    this.#links = links
    this.#late = late
  }

  /** Something is known to be another than it was, and not yet what. */
  get stale(): boolean {
    return this.#asking.size > 0 || this.#stale().length > 0
  }

  /** Asks those that said so, and waits a moment for them. */
  async refresh(trace: CallTrace): Promise<void> {
    for (const link of this.#stale()) this.#start(link, trace)
    if (this.#asking.size === 0) return
    const asked = Promise.all(this.#asking.values())
    if (!(await within(asked, PATIENCE))) void asked.then(this.#late)
  }

  drop(link: ToolLink): void {
    if (this.#known.delete(link)) this.#renew()
  }

  #stale(): ToolLink[] {
    return [...this.#links.open].filter(({ ready, stale }) => ready && stale.size > 0)
  }

  /** What it says has changed while it is asked, it is asked next. */
  #start(link: ToolLink, trace: CallTrace): void {
    const before = this.#asking.get(link)
    const asking = (before ?? Promise.resolve())
      .then(() => this.#ask(link, trace))
      .finally(() => {
        if (this.#asking.get(link) === asking) this.#asking.delete(link)
      })
    this.#asking.set(link, asking)
  }

  #renew(): void {
    this.better = new Map(Array.from(this.#known, ([link, lists]) => [versionOf(link.tool), lists]))
  }

  async #ask(link: ToolLink, trace: CallTrace): Promise<void> {
    for (const kind of [...link.stale]) {
      link.stale.delete(kind)
      try {
        const entries = await this.#list(link, kind, trace)
        if (link.over) return
        this.#known.set(link, { ...this.#known.get(link), [kind]: entries })
        this.#renew()
      } catch {
        // What was known before is better than nothing.
      }
    }
  }

  async #list(link: ToolLink, kind: Kind, trace: CallTrace): Promise<JsonObject[]> {
    const { method, key } = KINDS[kind]
    let entries: JsonObject[] = []
    let cursor: unknown
    for (let page = 0; page < MOST_PAGES && entries.length < MOST_ENTRIES; page += 1) {
      const params = cursor === undefined ? {} : { cursor }
      const { result } = (await this.#links.ask(link, method, params, trace)).json()
      if (!isObject(result) || !Array.isArray(result[key])) throw new Error('no list came back')
      entries = entries.concat(result[key].filter(isObject))
      cursor = result.nextCursor
      if (typeof cursor !== 'string') break
    }
    return entries
  }
}

/** Milliseconds that a list waits for them. */
const PATIENCE = 2000
const MOST_PAGES = 100
const MOST_ENTRIES = 2000
