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
    const { max } = this.#caps
    if (this.size >= max) throw tooMany(`sessions.max (${max})`)
    if (listen.tool !== ALL_TOOLS.name) this.#count(listen.tool)
    this.#open.add(listen)
  }

  remove(listen: OpenListen): void {
    if (this.#open.delete(listen) && listen.tool !== ALL_TOOLS.name) this.#uncount(listen.tool)
  }

  /**
   * Counts a listen to all tools as one to this tool too; what it returns ends that, once. Throws
   * `unavailable` at the tool's cap.
   */
  hold(tool: string): () => void {
    this.#count(tool)
    let held = true
    return () => {
      if (held) this.#uncount(tool)
      held = false
    }
  }

  endAll(): void {
    for (const listen of [...this.#open]) listen.end()
  }

  /** Ends those of one tool: what they listen to is no longer what serves. */
  endTool(tool: string): void {
    for (const listen of [...this.#open]) if (listen.tool === tool) listen.end()
  }

  #count(tool: string): void {
    const { perTool } = this.#caps
    const open = this.#perTool.get(tool) ?? 0
    if (open >= perTool) throw tooMany(`sessions.perTool (${perTool})`)
    this.#perTool.set(tool, open + 1)
  }

  #uncount(tool: string): void {
    const left = (this.#perTool.get(tool) ?? 0) - 1
    if (left > 0) this.#perTool.set(tool, left)
    else this.#perTool.delete(tool)
  }
}

function tooMany(cap: string): ToolgateError {
  const message = `There are as many open listens as there may be: ${cap}.`
  return new ToolgateError('unavailable', message, { retryAfter: 5 })
}
