import type { ContainerStats } from 'dockerode'
import { within } from '../../within.ts'
import type { Meter } from '../body.ts'
import type { Usage } from '../usage.ts'
import { ask, type Engine } from './engine.ts'

/**
 * Follows what a container uses, as its engine says: a second after its start, every ten seconds,
 * and when it is told to end. All of its processes are counted, those that have ended, too.
 */
export class ContainerMeter implements Meter {
  readonly #engine: Engine
  readonly #id: string
  readonly #timer: NodeJS.Timeout
  #seconds = 0
  #usage: Usage | null = null
  #looking: Promise<void> | undefined
  #ended = false

  constructor(engine: Engine, id: string) {
    this.#engine = engine
    this.#id = id
    this.#timer = setInterval(() => {
      if (this.#seconds % EVERY === 0) this.soon()
      this.#seconds += 1
    }, SECOND).unref()
  }

  get usage(): Usage | null {
    return this.#usage
  }

  /** An engine is never asked at once. */
  sample(): void {
    this.soon()
  }

  soon(): void {
    // What an engine says then is of the whole machine.
    if (this.#ended || !this.#engine.facts.groups) return
    this.#looking ??= this.#look()
      .catch(() => {})
      .finally(() => {
        this.#looking = undefined
      })
  }

  /** Waits for a look that is under way, a little. */
  async looked(): Promise<void> {
    if (this.#looking !== undefined) await within(this.#looking, LAST)
  }

  end(): void {
    this.#ended = true
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const container = this.#engine.docker.getContainer(this.#id)
    const query = { stream: false, 'one-shot': true } as const
    const stats: ContainerStats = await ask(container.stats(query))
    this.#usage = usageOf(stats, this.#usage)
  }
}

/** Of a container that has just ended an engine tells only zeros. */
export function usageOf(stats: ContainerStats, before: Usage | null): Usage | null {
  const cpu = (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e6
  if (cpu === 0) return before
  const { usage = 0, max_usage = 0 } = stats.memory_stats ?? {}
  const memory = Math.max(usage, max_usage, before?.memory ?? 0)
  return {
    cpu: Math.max(Math.round(cpu), before?.cpu ?? 0),
    memory: memory === 0 ? null : memory,
    read: bytesOf(stats, 'read') ?? before?.read ?? null,
    written: bytesOf(stats, 'write') ?? before?.written ?? null,
  }
}

/** What went to and from disks; null where the kernel does not count it. */
function bytesOf({ blkio_stats }: ContainerStats, direction: 'read' | 'write'): number | null {
  const entries = blkio_stats?.io_service_bytes_recursive ?? null
  if (entries === null || entries.length === 0) return null
  const matching = entries.filter(({ op }) => op.toLowerCase() === direction)
  return matching.reduce((sum, { value }) => sum + value, 0)
}

/** Milliseconds. */
const SECOND = 1_000
const LAST = 250
/** Seconds. */
const EVERY = 10
