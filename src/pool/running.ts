import type { Usage } from '../runtime/usage.ts'
import type { Started } from './starting.ts'

/** What strangers may know of a process. */
export interface RunningInstance {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly since: number
  /** As it was last seen; null: not yet, or not on this system. */
  readonly usage: Usage | null
  /** It was started for whoever comes next; absent: it serves somebody, or did. */
  readonly spare?: true
}

/** The processes that run. */
export class Running {
  readonly #running = new Map<string, Set<Started>>()
  /** Processes of our own, which no cap is for: those that are asked what a tool is. */
  readonly #uncounted = new WeakSet<Started>()
  readonly #spares = new WeakSet<Started>()

  /** Processes of a tool that run now. */
  count(tool: string): number {
    return this.#running.get(tool)?.size ?? 0
  }

  shown(tool: string): RunningInstance[] {
    return [...(this.#running.get(tool) ?? [])].map((started) => ({
      id: started.id,
      since: started.process.since,
      usage: started.process.usage,
      ...(this.#spares.has(started) && { spare: true }),
    }))
  }

  counts(): [tool: string, running: number][] {
    return [...this.#running].map(([tool, running]) => [tool, running.size])
  }

  all(): Started[] {
    return [...this.#running.values()].flatMap((running) => [...running])
  }

  /** Those of a tool that count against the caps; what was told to end is none of them. */
  counted(tool: string): number {
    let counted = 0
    for (const started of this.#running.get(tool) ?? []) {
      if (!started.process.ending && !this.#uncounted.has(started)) counted += 1
    }
    return counted
  }

  /** The same of all tools. */
  countedAll(): number {
    let counted = 0
    for (const tool of this.#running.keys()) counted += this.counted(tool)
    return counted
  }

  /** From now until it has ended. */
  add(started: Started, what: 'counted' | 'uncounted' | 'spare' = 'counted'): void {
    const { name } = started.tool
    if (what === 'uncounted') this.#uncounted.add(started)
    if (what === 'spare') this.#spares.add(started)
    const running = this.#running.get(name) ?? new Set()
    this.#running.set(name, running.add(started))
    void started.process.ended.then(() => {
      running.delete(started)
      if (running.size === 0 && this.#running.get(name) === running) this.#running.delete(name)
    })
  }

  /** A spare serves somebody from now on. */
  handOut(spare: Started): void {
    this.#spares.delete(spare)
  }
}
