import type { Declaration } from '../tool/declaration.ts'
import { keyOf } from './places.ts'
import type { Refill } from './refill.ts'
import { Spares } from './spares.ts'
import type { Started } from './starting.ts'

export interface AllSparesOptions {
  readonly refill: Refill
  /** Starts one within the caps, in the background, and tells it `hello`. */
  start(tool: Declaration, hello: string | undefined): Promise<Started>
  /** The caps leave room for one more of the tool. */
  hasRoom(tool: Declaration): boolean
}

/** The spares of every version that is to have some. */
export class AllSpares {
  readonly #options: AllSparesOptions
  readonly #versions = new Map<string, Spares>()

  constructor(options: AllSparesOptions) {
    this.#options = options
  }

  get versions(): ReadonlyMap<string, Spares> {
    return this.#versions
  }

  /** How many are ready of each tool. */
  counts(): [tool: string, spares: number][] {
    return [...this.#versions].map(([key, { count }]) => [key.slice(0, key.indexOf(' ')), count])
  }

  /** Safe to call again. */
  keep(tool: Declaration): void {
    const key = keyOf(tool, '')
    if (this.#versions.has(key)) return
    const { refill, start, hasRoom } = this.#options
    const spares = new Spares({
      wanted: tool.warm.spares,
      initialized: tool.warm.initialized,
      start: (hello) => start(tool, hello),
      hasRoom: () => hasRoom(tool),
      lacking: () => refill.look(),
    })
    this.#versions.set(key, spares)
    refill.keep(spares)
  }

  /**
   * One that lives, which is the caller's from now on, told nothing else than `hello`; undefined:
   * there is none.
   */
  take(tool: Declaration, hello?: string): Promise<Started | undefined> | undefined {
    return this.#versions.get(keyOf(tool, ''))?.take(hello)
  }

  /** Ends those of a version. */
  retire(tool: Declaration): void {
    const key = keyOf(tool, '')
    const spares = this.#versions.get(key)
    if (spares === undefined) return
    this.#versions.delete(key)
    this.#options.refill.drop(spares)
    spares.retire()
  }

  close(): void {
    for (const spares of this.#versions.values()) spares.retire()
  }
}
