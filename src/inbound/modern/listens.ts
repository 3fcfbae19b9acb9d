import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'
import { ALL_TOOLS } from '../aggregate/all-tools.ts'

/** An open `subscriptions/listen`. */
export interface OpenListen {
  /** The tool's name. */
  readonly tool: string
  /** Tells its client that it is over, and closes its stream. */
  end(): void
}

/** All open listens: their caps and their ends. */
export class Listens {
  readonly #caps: Config['sessions']
  readonly #open = new Set<OpenListen>()
  readonly #perTool = new Map<string, number>()

  constructor(caps: Config['sessions']) {
    this.#caps = caps
  }

  get size(): number {
    return this.#open.size
  }

  /** Throws `unavailable` where there are as many as there may be. */
  add(listen: OpenListen): void {
    const { max, perTool } = this.#caps
    const open = this.#perTool.get(listen.tool) ?? 0
    if (listen.tool !== ALL_TOOLS.name && open >= perTool) {
      throw tooMany(`sessions.perTool (${perTool})`)
    }
    if (this.size >= max) throw tooMany(`sessions.max (${max})`)
    this.#open.add(listen)
    this.#perTool.set(listen.tool, open + 1)
  }

  remove(listen: OpenListen): void {
    if (!this.#open.delete(listen)) return
    const left = (this.#perTool.get(listen.tool) ?? 0) - 1
    if (left > 0) this.#perTool.set(listen.tool, left)
    else this.#perTool.delete(listen.tool)
  }

  endAll(): void {
    for (const listen of [...this.#open]) listen.end()
  }

  /** Ends those of one tool: what they listen to is no longer what serves. */
  endTool(tool: string): void {
    for (const listen of [...this.#open]) if (listen.tool === tool) listen.end()
  }
}

function tooMany(cap: string): ToolgateError {
  const message = `There are as many open listens as there may be: ${cap}.`
  return new ToolgateError('unavailable', message, { retryAfter: 5 })
}
