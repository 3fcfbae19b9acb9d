import { ToolgateError } from '../errors.ts'
import type { Usage } from '../runtime/usage.ts'
import type { Started } from './instance.ts'

/** What strangers may know of a process. */
export interface RunningInstance {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly since: number
  /** As it was last seen; null: not yet, or not on this system. */
  readonly usage: Usage | null
}

/** The processes that run, and how many of them a tool may have. */
export class Running {
  readonly #most: number
  readonly #running = new Map<string, Set<Started>>()
  readonly #starting = new Map<string, number>()
  /** Processes that nobody's session or call is waiting for. */
  readonly #spare = new WeakSet<Started>()

  constructor(most: number) {
    this.#most = most
  }

  /** Processes of a tool that run now. */
  count(tool: string): number {
    return this.#running.get(tool)?.size ?? 0
  }

  shown(tool: string): RunningInstance[] {
    return [...(this.#running.get(tool) ?? [])].map(({ id, process: { since, usage } }) => ({
      id,
      since,
      usage,
    }))
  }

  counts(): [tool: string, running: number][] {
    return [...this.#running].map(([tool, running]) => [tool, running.size])
  }

  all(): Started[] {
    return [...this.#running.values()].flatMap((running) => [...running])
  }

  /** From now until it has ended; a `spare` one is not counted against the cap. */
  add(started: Started, spare: boolean): void {
    const { name } = started.tool
    if (spare) this.#spare.add(started)
    const running = this.#running.get(name) ?? new Set()
    this.#running.set(name, running.add(started))
    void started.process.ended.then(() => {
      running.delete(started)
      if (running.size === 0 && this.#running.get(name) === running) this.#running.delete(name)
    })
  }

  /** Starts within the cap. Rejects with `unavailable` where `makeRoom` can make none. */
  async counted<T>(tool: string, makeRoom: () => boolean, start: () => Promise<T>): Promise<T> {
    if (this.#isFull(tool) && !makeRoom()) {
      const message = `The tool has ${this.#most} processes, the most it may have (sessions.perTool).`
      throw new ToolgateError('unavailable', message, { retryAfter: 5 })
    }
    this.#starting.set(tool, (this.#starting.get(tool) ?? 0) + 1)
    try {
      return await start()
    } finally {
      this.#starting.set(tool, (this.#starting.get(tool) ?? 1) - 1)
    }
  }

  #isFull(tool: string): boolean {
    const running = [...(this.#running.get(tool) ?? [])].filter(
      (each) => !each.process.ending && !this.#spare.has(each),
    )
    return running.length + (this.#starting.get(tool) ?? 0) >= this.#most
  }
}
