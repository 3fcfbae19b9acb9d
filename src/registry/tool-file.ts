import { hashFile, unchanged } from './content.ts'
import type { Result } from './describe-child.ts'
import type { Described } from './description-cache.ts'
import type { FileError, ToolEntry } from './registry.ts'
import type { Candidate } from './scan.ts'

/** What a tool's file needs of the registry. */
export interface ToolFileRoom {
  /** The stored description, where nothing has changed since. */
  find(name: string, file: string): Promise<Described | undefined>
  /** Checks and stores what a child found out. Throws a TypeError. */
  keep(name: string, file: string, result: Result): Promise<Described>
  describe(
    file: string,
    signal: AbortSignal,
    loaded: (file: { path: string; hash: string }) => void,
  ): Promise<Result>
  /** Called after each change of the entry. */
  changed(entry: ToolEntry): void
}

/** One file of the tools folder: describes it anew whenever it, or a file it loads, has changed. */
export class ToolFile {
  entry: ToolEntry
  /** Settles with the first answer, good or bad. */
  readonly answered: Promise<void>
  readonly #answer: () => void
  readonly #room: ToolFileRoom
  /** What the entry was made from, or is being made from; null: a file that is not there. */
  #contents = new Map<string, string | null>()
  #run = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor({ name, file }: Candidate, room: ToolFileRoom) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.answered = promise
    this.#answer = resolve
    this.#room = room
    this.entry = { name, file, state: 'loading' }
  }

  /** Every file this tool depends on, by path. */
  get files(): Iterable<string> {
    return this.#contents.keys()
  }

  /** Looks whether anything changed, and starts over if so, ending a description under way. */
  async look(candidate: Candidate): Promise<void> {
    if (candidate.error !== undefined) {
      this.#run.abort()
      this.#contents.clear()
      return this.#broken(candidate.file, [candidate.error])
    }
    const same = this.#contents.size > 0 && candidate.file === this.entry.file
    if (same && (await unchanged(this.#contents))) return
    this.#run.abort()
    this.#run = new AbortController()
    const { signal } = this.#run
    const content = await hashFile(candidate.file)
    if (signal.aborted) return
    this.#contents = new Map([[candidate.file, content]])
    this.#running = Promise.all([this.#running, this.#describe(candidate, signal)])
  }

  /** Gives up a description under way; no change is told any more. */
  async end(): Promise<void> {
    this.#run.abort()
    this.#answer()
    await this.#running
  }

  async #describe({ name, file }: Candidate, signal: AbortSignal): Promise<void> {
    const contents = this.#contents
    try {
      const stored = await this.#room.find(name, file)
      if (signal.aborted) return
      if (stored !== undefined) return this.#good(file, stored)
      const result = await this.#room.describe(file, signal, (one) => {
        contents.set(one.path, one.hash)
      })
      if (signal.aborted) return
      for (const { path, hash } of result.files) contents.set(path, hash)
      for (const path of result.missing) contents.set(path, null)
      if (!(await unchanged(contents)) && !signal.aborted) {
        return await this.look({ name, file })
      }
      if (signal.aborted) return
      if (result.errors !== undefined) return this.#broken(file, result.errors)
      const described = await this.#room.keep(name, file, result)
      if (!signal.aborted) this.#good(file, described)
    } catch (error) {
      if (signal.aborted) return
      const message = error instanceof Error ? error.message : String(error)
      this.#broken(file, [{ file, message }])
    }
  }

  #good(file: string, { declaration, contents }: Described): void {
    for (const [path, content] of contents) this.#contents.set(path, content)
    const { state, declaration: last, name } = this.entry
    const same = state === 'ready' && last?.version === declaration.version
    if (!same || file !== this.entry.file) this.#change({ name, file, state: 'ready', declaration })
    this.#answer()
  }

  /** The last good version stays. */
  #broken(file: string, errors: readonly FileError[]): void {
    const { name, declaration, errors: last } = this.entry
    const [error] = errors
    if (JSON.stringify(errors) !== JSON.stringify(last) && error !== undefined) {
      const kept = declaration === undefined ? {} : { declaration }
      this.#change({ name, file, state: 'broken', ...kept, error, errors })
    }
    this.#answer()
  }

  #change(entry: ToolEntry): void {
    this.entry = entry
    this.#room.changed(entry)
  }
}
