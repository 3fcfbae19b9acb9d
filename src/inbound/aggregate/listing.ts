import { createHash } from 'node:crypto'
import { ToolgateError } from '../../errors.ts'
import { legacyOutputSchema } from '../../protocol/legacy-schema.ts'
import type { Era, JsonObject } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { KINDS, type Kind } from './lists.ts'

/** An entry as it is listed, and its text. */
interface Written {
  readonly entry: JsonObject
  readonly text: string
}

/** One list, written once for all who ask for it. */
export class Listing {
  readonly entries: readonly JsonObject[]
  readonly #kind: Kind
  readonly #written: readonly Written[]
  readonly #pages = new Map<string, string>()
  #digest: string | undefined

  constructor(kind: Kind, entries: Iterable<JsonObject>) {
    this.#kind = kind
    this.#written = [...entries].flatMap(written)
    this.entries = this.#written.map(({ entry }) => entry)
  }

  /** As `Directory.page`. */
  page(cursor: unknown, era: Era): string {
    const start = cursor === undefined ? 0 : startOf(cursor)
    if (start > 0 && start >= this.#written.length) throw wrongCursor()
    const key = `${era} ${start}`
    const page = this.#pages.get(key) ?? this.#page(start, era)
    this.#pages.set(key, page)
    return page
  }

  /** The same for the same entries. */
  get digest(): string {
    if (this.#digest === undefined) {
      const hash = createHash('sha256')
      for (const { text } of this.#written) hash.update(text)
      this.#digest = hash.digest('base64url')
    }
    return this.#digest
  }

  #page(start: number, era: Era): string {
    const next = start + PAGE
    const more = next < this.#written.length ? `,"nextCursor":"${next}"` : ''
    const write = era === 'legacy' && this.#kind === 'functions' ? legacyText : textOf
    const texts = this.#written.slice(start, next).map(write)
    return `${JSON.stringify(KINDS[this.#kind].key)}:[${texts.join()}]${more}`
  }
}

/** Entries of one page. */
const PAGE = 2000

/** What is nested too deeply to be written is left out, so that it hides no other. */
function written(entry: JsonObject): Written[] {
  try {
    return [{ entry, text: JSON.stringify(entry) }]
  } catch {
    return []
  }
}

function textOf({ text }: Written): string {
  return text
}

/** A legacy client's functions answer with objects: what another is told as is told so here. */
function legacyText({ entry, text }: Written): string {
  const { outputSchema, ...others } = entry
  if (!isObject(outputSchema) || outputSchema.type === 'object') return text
  try {
    return JSON.stringify({ ...others, outputSchema: legacyOutputSchema(outputSchema) })
  } catch {
    return JSON.stringify(others)
  }
}

function startOf(cursor: unknown): number {
  const start = typeof cursor === 'string' && /^[1-9]\d{0,8}$/.test(cursor) ? Number(cursor) : 0
  if (start === 0 || start % PAGE !== 0) throw wrongCursor()
  return start
}

function wrongCursor(): ToolgateError {
  return new ToolgateError('invalid_params', '"cursor" must be a "nextCursor" of this list.')
}
