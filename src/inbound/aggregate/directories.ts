import type { Caller } from '../../call/caller.ts'
import type { Catalogue, Learned, LearnState } from '../../catalogue/catalogue.ts'
import type { Guard } from '../../guard/guard.ts'
import { isObject } from '../../protocol/object.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { within } from '../../within.ts'
import { Directory, type Shown } from './directory.ts'
import { EMPTY, type Lists } from './lists.ts'

export interface DirectoriesParts {
  readonly registry: Registry
  readonly catalogue: Catalogue
  readonly guard: Guard
}

/** Lists of some tools that are known better than by the catalogue, by `versionOf`. */
export type Better = ReadonlyMap<string, Partial<Lists>>

/** One version of a tool. */
export function versionOf({ name, version }: Declaration): string {
  return `${name}@${version}`
}

/** What each caller may see of all tools. */
export class Directories {
  readonly #parts: DirectoriesParts
  /** By the versions of the tools in it; all of them are dropped when anything changes. */
  readonly #known = new Map<string, Directory>()
  /** The same by who has asked: a key's caller is always the same object. */
  #asked = new WeakMap<Caller, Directory>()
  /** What a tool had before its file changed, until the new version is known. */
  readonly #before = new Map<string, Learned>()
  readonly #listeners = new Set<() => void>()
  #telling: NodeJS.Timeout | undefined

  constructor(parts: DirectoriesParts) {
    this.#parts = parts
    parts.catalogue.onChange(() => this.#changed())
    parts.registry.onChange((name, entry) => {
      if (entry === undefined) this.#before.delete(name)
      this.#changed()
    })
  }

  /** As it is known now: a tool that nothing is known of has no entries. */
  now(caller: Caller, better?: Better): Directory {
    if (better !== undefined && better.size > 0) return this.#build(this.#visible(caller), better)
    const asked = this.#asked.get(caller) ?? this.#of(this.#visible(caller))
    this.#asked.set(caller, asked)
    return asked
  }

  /** As it is known after a moment, if any tools are just being read or learned. */
  async settled(caller: Caller): Promise<Directory> {
    const { registry, catalogue } = this.#parts
    const waits: Promise<unknown>[] = []
    if (registry.list().some(({ state }) => state === 'loading')) waits.push(registry.settled)
    for (const tool of this.#visible(caller)) {
      const state = catalogue.look(tool)
      // What failed before is tried again, and is not waited for again.
      if (state.state !== 'learning' || state.error !== undefined) continue
      waits.push(catalogue.learn(tool).catch(() => {}))
    }
    if (waits.length > 0) await within(Promise.all(waits), PATIENCE)
    return this.now(caller)
  }

  /** Called soon after anything changed for anybody; call what is returned to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #visible(caller: Caller): Declaration[] {
    return this.#parts.registry.list().flatMap(({ declaration }) => {
      if (declaration === undefined) return []
      try {
        this.#parts.guard.see(caller, declaration)
        return declaration
      } catch {
        return []
      }
    })
  }

  #of(visible: readonly Declaration[]): Directory {
    const key = visible.map(versionOf).join('\n')
    const known = this.#known.get(key) ?? this.#build(visible)
    // To look may begin to learn, and what is known of an inline tool is known at once.
    if (this.#known.size >= MOST) this.#known.clear()
    this.#known.set(key, known)
    return known
  }

  #build(tools: readonly Declaration[], better?: Better): Directory {
    const shown = tools.map((tool): Shown => {
      const state = this.#parts.catalogue.look(tool)
      const learned = this.#learned(tool, state)
      const { capabilities } = learned?.initialize ?? {}
      return {
        tool,
        lists: learned && { ...EMPTY, ...learned, ...better?.get(versionOf(tool)) },
        capabilities: isObject(capabilities) ? capabilities : {},
        ...(state.state === 'failed' && { problem: state.error }),
        ...(state.state === 'failed' && state.code && { code: state.code }),
      }
    })
    return new Directory(shown)
  }

  /** Of a version that is being learned, what was known of the one before. */
  #learned(tool: Declaration, state: LearnState): Learned | undefined {
    if (state.state === 'learned') {
      this.#before.set(tool.name, state.learned)
      return state.learned
    }
    return state.state === 'learning' ? this.#before.get(tool.name) : undefined
  }

  /** Several tools may change at once: they are told of together. */
  #changed(): void {
    this.#known.clear()
    this.#asked = new WeakMap()
    if (this.#listeners.size === 0) return
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined
      for (const listener of [...this.#listeners]) listener()
    }, TOGETHER).unref()
  }
}

/** Directories that are kept: one for each set of tools that somebody may see. */
const MOST = 64
/** Milliseconds that a list waits for tools that are not known yet. */
const PATIENCE = 2000
/** Milliseconds in which changes are told as one. */
const TOGETHER = 50
