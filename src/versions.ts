import { basename } from 'node:path'
import type { LearningCatalogue } from './catalogue/create.ts'
import { ToolgateError } from './errors.ts'
import type { Guard } from './guard/guard.ts'
import type { Pool } from './pool/pool.ts'
import { describeError } from './registry/describe-error.ts'
import type { Registry, ToolEntry } from './registry/registry.ts'
import type { Declaration } from './tool/declaration.ts'

export interface VersionsParts {
  readonly registry: Registry
  readonly catalogue: LearningCatalogue
  readonly pool: Pool
  readonly guard: Guard
  /** Milliseconds that a request waits for a tool whose file is being read. */
  readonly timeout: number
  /** Processes are kept ready for whoever comes next, where a tool's file says so. */
  readonly prepares: boolean
  /** Called with the tool's name when one of its versions serves no longer. */
  onRetired(name: string): void
}

/** Follows each tool from version to version: what is new is learned, what is old is let go. */
export class Versions {
  readonly #parts: VersionsParts
  readonly #served = new Map<string, Declaration>()
  readonly #waiting = new Map<string, Set<() => void>>()
  #closed = false

  constructor(parts: VersionsParts) {
    this.#parts = parts
    for (const { name, declaration } of parts.registry.list()) {
      if (declaration !== undefined) this.#serve(name, declaration)
    }
    parts.registry.onChange((name, entry) => this.#changed(name, entry))
    parts.catalogue.onChange((name) => this.#prepare(name))
  }

  /** The version that new links begin with. Throws `unknown_tool`, `not_learned`, `unavailable`. */
  find(name: string): Declaration | Promise<Declaration> {
    const declaration = this.#served.get(name)
    if (declaration !== undefined) return declaration
    const entry = this.#parts.registry.get(name)
    if (entry?.state === 'loading') return this.#wait(name)
    return this.#none(entry)
  }

  /** Whether new links begin with this version. */
  serves({ name, version }: Declaration): boolean {
    return this.#served.get(name)?.version === version
  }

  /** Learns what is not known yet, few tools at a time, so that starting stays quick. */
  async learnAll(only?: string): Promise<void> {
    await this.#parts.registry.settled
    const waiting = [...this.#served.values()].filter(({ name }) => (only ?? name) === name)
    const lane = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (this.#closed) return
        // Its state says what went wrong; the next tool is not to wait for this one.
        await this.#parts.catalogue.learn(next).catch(() => {})
        this.#prepare(next.name)
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  listChanged(name: string): void {
    const declaration = this.#served.get(name)
    if (declaration !== undefined) this.#parts.catalogue.refresh(declaration)
  }

  close(): void {
    this.#closed = true
    for (const waiting of this.#waiting.values()) for (const wake of waiting) wake()
  }

  #changed(name: string, entry: ToolEntry | undefined): void {
    const { catalogue, pool, guard } = this.#parts
    const before = this.#served.get(name)
    const after = entry?.declaration
    if (after === undefined) {
      this.#served.delete(name)
      if (entry === undefined) guard.forget(name)
    } else this.#serve(name, after)
    if (before !== undefined && before.version !== after?.version) {
      pool.retire(before)
      catalogue.forget(before)
      this.#parts.onRetired(name)
      if (after !== undefined) catalogue.look(after)
    }
    this.#prepare(name)
    for (const wake of this.#waiting.get(name) ?? []) wake()
  }

  /** What is known of a tool is enough to start it before somebody comes. */
  #prepare(name: string): void {
    const { catalogue, pool, prepares } = this.#parts
    const declaration = this.#served.get(name)
    if (!prepares || this.#closed || declaration === undefined) return
    const known = catalogue.peek(declaration)
    if (known?.state === 'learned') pool.prepare(declaration, known.learned)
  }

  #serve(name: string, declaration: Declaration): void {
    this.#served.set(name, declaration)
    this.#parts.guard.serve(declaration)
  }

  async #wait(name: string): Promise<Declaration> {
    const waiting = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, waiting)
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, this.#parts.timeout)
      waiting.add(wake)
    })
    if (waiting.size === 0) this.#waiting.delete(name)
    return this.#served.get(name) ?? this.#none(this.#parts.registry.get(name))
  }

  #none(entry: ToolEntry | undefined): never {
    if (entry === undefined) {
      throw new ToolgateError('unknown_tool', 'There is no such tool. See GET /v1/tools.')
    }
    const { name, state, error } = entry
    if (state === 'broken') {
      const mistake = error && describeError({ ...error, file: basename(error.file) })
      const message = `The tool "${name}" has a mistake in its file: ${mistake ?? 'unknown'}`
      throw new ToolgateError('unavailable', message, { retryAfter: 5 })
    }
    throw new ToolgateError('not_learned', `The tool "${name}" is being read.`, { retryAfter: 1 })
  }
}

/** One tool that says nothing for seconds does not hold up all others. */
const LANES = 2
