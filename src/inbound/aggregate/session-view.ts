import type { CallTrace } from '../../call/call.ts'
import type { Caller } from '../../call/caller.ts'
import { Changes } from './changes.ts'
import type { Directories } from './directories.ts'
import type { Directory } from './directory.ts'
import type { Kind } from './lists.ts'
import { Relisted } from './relisted.ts'
import type { SessionLinks } from './session-links.ts'
import type { ToolLink } from './tool-link.ts'

export interface SessionViewParts {
  readonly directories: Directories
  readonly caller: Caller
  readonly links: SessionLinks
  /** Takes the notifications that tell the client of what has changed since it was told last. */
  changed(methods: Iterable<string>): void
}

/**
 * All tools as the client of one session sees them: what is known of each and, where a process of
 * the session's own has changed its lists, what that has listed since.
 */
export class SessionView {
  readonly #parts: SessionViewParts
  readonly #relisted: Relisted
  #changes: Changes | undefined
  #forget = () => {}
  #closed = false
  #own:
    | { readonly base: Directory; readonly better: unknown; readonly directory: Directory }
    | undefined

  constructor(parts: SessionViewParts) {
    this.#parts = parts
    this.#relisted = new Relisted(parts.links, () => this.#compare())
  }

  /** From now on the client is told of changes. Resolves with what it is told of first. */
  async begin(): Promise<Directory> {
    const { directories, caller } = this.#parts
    const directory = await directories.settled(caller)
    this.#changes = new Changes(directory)
    if (!this.#closed) this.#forget = directories.onChange(() => this.#compare())
    return directory
  }

  now(): Directory {
    const { directories, caller } = this.#parts
    const base = directories.now(caller)
    const { better } = this.#relisted
    if (better.size === 0) return base
    if (this.#own?.base !== base || this.#own.better !== better) {
      this.#own = { base, better, directory: directories.now(caller, better) }
    }
    return this.#own.directory
  }

  /** What is known after a moment, where more is known then. */
  async later(trace: CallTrace): Promise<Directory> {
    const { directories, caller } = this.#parts
    await Promise.all([directories.settled(caller), this.#relisted.refresh(trace)])
    return this.now()
  }

  /** The same, of which the client is told this list. */
  async listed(kind: Kind, trace: CallTrace): Promise<Directory> {
    const directory = await this.later(trace)
    this.#changes?.told(directory, kind)
    return directory
  }

  /** A process has said that its lists changed, and has not been asked since. */
  get stale(): boolean {
    return this.#relisted.stale
  }

  /** The link has ended, and what its process listed is no more. */
  drop(link: ToolLink): void {
    this.#relisted.drop(link)
  }

  close(): void {
    this.#closed = true
    this.#forget()
  }

  #compare(): void {
    if (this.#closed) return
    const directory = this.now()
    this.#parts.links.keep(directory)
    this.#parts.changed(this.#changes?.from(directory) ?? [])
  }
}
