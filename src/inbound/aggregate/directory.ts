import { ToolgateError } from '../../errors.ts'
import type { Era, JsonObject } from '../../protocol/message.ts'
import { closest } from '../../tool/closest.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { Listing } from './listing.ts'
import { KINDS, type Kind, keyOf, type Lists } from './lists.ts'
import { listNames, type Own } from './names.ts'
import { References, showsPage } from './references.ts'
import { splitId, splitUri } from './uris.ts'

/** One tool as it is shown to a caller. */
export interface Shown {
  readonly tool: Declaration
  /** Undefined while it is not known what it has. */
  readonly lists: Lists | undefined
  /** What it declares as an MCP server. */
  readonly capabilities: JsonObject
  /** Why nothing could be found out about it. */
  readonly problem?: string
  /** What that is told as; absent: `tool_failed_to_start`. */
  readonly code?: 'no_cell'
}

/** Something of a tool, as the tool knows it. */
export interface Found {
  readonly tool: Declaration
  /** The tool's own name, URI, template or id. */
  readonly own: string
}

/** All that some tools have, under the names and URIs of `/mcp`, both ways. */
export class Directory {
  readonly #shown: ReadonlyMap<string, Shown>
  readonly #references = new Map<string, References>()
  readonly #listings = new Map<Kind, Listing>()
  readonly #names = new Map<'functions' | 'prompts', ReadonlyMap<string, Entry>>()

  /** In the order in which their entries are listed. */
  constructor(shown: readonly Shown[]) {
    this.#shown = new Map(shown.map((each) => [each.tool.name, each]))
  }

  get shown(): Iterable<Shown> {
    return this.#shown.values()
  }

  tool(name: string): Declaration | undefined {
    return this.#shown.get(name)?.tool
  }

  /** The entries of a kind: those of the first tool first, each tool's in its own order. */
  entries(kind: Kind): readonly JsonObject[] {
    return this.#listing(kind).entries
  }

  /**
   * One page of a list as JSON text without its braces: `"tools":[…],"nextCursor":"2000"`. Throws
   * `invalid_params` for a cursor that was not given out.
   */
  page(kind: Kind, cursor: unknown, era: Era): string {
    return this.#listing(kind).page(cursor, era)
  }

  /** The same for the same entries. */
  digest(kind: Kind): string {
    return this.#listing(kind).digest
  }

  /** How what a tool refers to is written here. */
  references(tool: string): References {
    let references = this.#references.get(tool)
    if (references === undefined) {
      const lists = this.#shown.get(tool)?.lists
      const listed = (kind: Kind) =>
        (lists?.[kind] ?? []).flatMap((entry) => keyOf(kind, entry as JsonObject) ?? [])
      references = new References(tool, [...listed('resources'), ...listed('templates')])
      this.#references.set(tool, references)
    }
    return references
  }

  /** A function by the very name that it is listed under. */
  listed(name: string): Found | undefined {
    const entry = this.#named('functions').get(name)
    return entry && { tool: entry.shown.tool, own: entry.name }
  }

  /** A function or prompt. Throws `unknown_function`, `invalid_params`, `not_learned`. */
  named(kind: 'functions' | 'prompts', name: unknown): Found {
    const entry = typeof name === 'string' ? this.#named(kind).get(name) : undefined
    if (entry !== undefined) return { tool: entry.shown.tool, own: entry.name }
    const found = this.#ofApp(kind, name)
    if (found === undefined) throw this.#unknown(kind, name)
    return found
  }

  /** A resource, or a template. Throws `invalid_params`. */
  located(uri: unknown): Found {
    const split = typeof uri === 'string' ? splitUri(uri, (name) => this.#alike(name)) : undefined
    const found = split === undefined ? this.#ofApp('resources', uri) : this.#found(split)
    if (found !== undefined) return found
    const message = `There is no resource ${quoted(uri)}. Expected a URI of resources/list.`
    throw new ToolgateError('invalid_params', message, { data: { uri } })
  }

  /** A task. Throws `invalid_params`. */
  task(id: unknown): Found {
    const split = typeof id === 'string' ? splitId(id, (name) => this.#exact(name)) : undefined
    if (split !== undefined) return this.#found(split)
    const message = `There is no task ${quoted(id)}. Expected the "taskId" that a call answered.`
    throw new ToolgateError('invalid_params', message)
  }

  #found({ tool, own }: { tool: string; own: string }): Found {
    return { tool: (this.#shown.get(tool) as Shown).tool, own }
  }

  /**
   * What only one app has by its own name: an app's page calls its tool so, and its host passes
   * that on as it is (MCP Apps).
   */
  #ofApp(kind: Kind, own: unknown): Found | undefined {
    if (typeof own !== 'string') return undefined
    const has = ({ lists }: Shown) =>
      lists?.[kind].some((entry) => keyOf(kind, entry as JsonObject) === own) === true
    const [only, ...others] = [...this.#shown.values()].filter((each) => isApp(each) && has(each))
    return only === undefined || others.length > 0 ? undefined : { tool: only.tool, own }
  }

  #exact(name: string): string | undefined {
    return this.#shown.has(name) ? name : undefined
  }

  /** Clients that read a URI anew may write its host in small letters (RFC 3986, 6.2.2.1). */
  #alike(name: string): string | undefined {
    if (this.#shown.has(name)) return name
    const small = name.toLowerCase()
    const [only, ...others] = [...this.#shown.keys()].filter((each) => each.toLowerCase() === small)
    return others.length === 0 ? only : undefined
  }

  #named(kind: 'functions' | 'prompts'): ReadonlyMap<string, Entry> {
    let names = this.#names.get(kind)
    if (names === undefined) {
      names = listNames(this.#owned(kind))
      this.#names.set(kind, names)
    }
    return names
  }

  *#owned(kind: Kind): Iterable<Entry> {
    for (const shown of this.#shown.values()) {
      for (const entry of (shown.lists?.[kind] ?? []) as readonly JsonObject[]) {
        const name = keyOf(kind, entry)
        if (name !== undefined) yield { tool: shown.tool.name, name, shown, entry }
      }
    }
  }

  #listing(kind: Kind): Listing {
    let listing = this.#listings.get(kind)
    if (listing === undefined) {
      listing = new Listing(kind, this.#rewritten(kind))
      this.#listings.set(kind, listing)
    }
    return listing
  }

  *#rewritten(kind: Kind): Iterable<JsonObject> {
    if (kind === 'functions' || kind === 'prompts') {
      for (const [name, { tool, entry }] of this.#named(kind)) {
        yield { ...this.references(tool).marked(entry), name }
      }
      return
    }
    const key = kind === 'resources' ? 'uri' : 'uriTemplate'
    for (const { tool, name, entry } of this.#owned(kind)) {
      const references = this.references(tool)
      yield { ...references.marked(entry), [key]: references.uri(name) }
    }
  }

  #unknown(kind: 'functions' | 'prompts', name: unknown): ToolgateError {
    const what = kind === 'functions' ? 'function' : 'prompt'
    const code = kind === 'functions' ? 'unknown_function' : 'invalid_params'
    const owner = typeof name === 'string' ? splitId(name, (tool) => this.#exact(tool)) : undefined
    const shown = owner && this.#shown.get(owner.tool)
    if (shown !== undefined && shown.lists === undefined) return unready(shown, kind)
    const meant = typeof name === 'string' ? nearest(name, this.#named(kind).keys()) : undefined
    const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`
    const expected = `Expected tool__${what}, as ${KINDS[kind].method} tells.`
    return new ToolgateError(code, `There is no ${what} ${quoted(name)}.${hint} ${expected}`)
  }
}

function unready({ tool, problem, code }: Shown, kind: Kind): ToolgateError {
  if (problem !== undefined) {
    const message = `The tool "${tool.name}" could not be learned: ${problem}`
    return new ToolgateError(code ?? 'tool_failed_to_start', message)
  }
  const message = `It is not known yet which ${kind} the tool "${tool.name}" has.`
  return new ToolgateError('not_learned', message, { retryAfter: 1 })
}

/** It has pages of its own to be shown (MCP Apps). */
function isApp({ lists }: Shown): boolean {
  const entries = lists?.functions ?? []
  return entries.some((each) => showsPage((each as unknown as JsonObject)._meta))
}

interface Entry extends Own {
  readonly shown: Shown
  readonly entry: JsonObject
}

/** Names that a wrong one is compared with, and characters of a name that are told. */
const MOST_NAMES = 500
const LONGEST = 64

/** The one that only lacks its tool's name, else the closest. */
function nearest(name: string, names: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined
  const known = [...names].slice(0, MOST_NAMES)
  return known.find((each) => each.endsWith(`__${name}`)) ?? closest(name, known)
}

function quoted(name: unknown): string {
  if (typeof name !== 'string') return 'without a name'
  return name.length > LONGEST ? `"${name.slice(0, LONGEST)}…"` : `"${name}"`
}
