/** One mistake in a declaration: where, what was there, what was expected. */
export interface Mistake {
  /** Such as `policy.network`; empty: the declaration as a whole. */
  readonly path: string
  readonly message: string
  readonly expected: string
}

/** Most mistakes told of one file. */
const MOST = 100

/** A value on its way to being checked: it collects mistakes and never throws. */
export class Field {
  readonly value: unknown
  readonly path: string
  readonly #mistakes: Mistake[]

  constructor(value: unknown, path = '', mistakes: Mistake[] = []) {
    this.value = value
    this.path = path
    this.#mistakes = mistakes
  }

  get mistakes(): readonly Mistake[] {
    return this.#mistakes
  }

  /** Nothing there; null counts, so that plain data is read by the same rules. */
  get absent(): boolean {
    return this.value === undefined || this.value === null
  }

  at(key: string | number): Field {
    const value =
      isRecord(this.value) || Array.isArray(this.value) ? own(this.value, key) : undefined
    const step = typeof key === 'number' ? `[${key}]` : this.path === '' ? key : `.${key}`
    return new Field(value, this.path + step, this.#mistakes)
  }

  /** Notes that something else was expected here; gives undefined, to be returned. */
  wrong(
    expected: string,
    message = `${this.path || 'The export'} is ${show(this.value)}`,
  ): undefined {
    if (this.#mistakes.length < MOST) {
      this.#mistakes.push({
        path: this.path,
        message: `${message}; expected ${expected}.`,
        expected,
      })
    }
    return undefined
  }

  /** True for an object; keys that are not known are mistakes. */
  object(keys: readonly string[], expected = 'an object'): boolean {
    if (!isRecord(this.value)) {
      this.wrong(expected)
      return false
    }
    for (const key of Object.keys(this.value)) {
      if (!keys.includes(key)) this.#unknown(key, keys)
    }
    return true
  }

  text(expected = 'a text'): string | undefined {
    const { value } = this
    return typeof value === 'string' && value.trim() !== '' && !value.includes('\0')
      ? value
      : this.wrong(expected)
  }

  /** A list of texts; absent is empty. `allowed` says which, in the words of `expected`. */
  texts(expected = 'a list of texts', allowed = (_text: string) => true): string[] {
    if (this.absent) return []
    if (!Array.isArray(this.value)) {
      this.wrong(expected)
      return []
    }
    for (const [index, item] of this.value.entries()) {
      const good = typeof item === 'string' && !item.includes('\0') && allowed(item)
      if (!good) this.at(index).wrong(expected.replace(/^a list of /, 'one of the '))
    }
    return this.value.filter((item) => typeof item === 'string')
  }

  oneOf<const T extends string>(choices: readonly T[]): T | undefined {
    const found = choices.find((choice) => choice === this.value)
    if (found !== undefined) return found
    const near = typeof this.value === 'string' ? nearest(this.value, choices) : undefined
    const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
    return this.wrong(choices.map((choice) => `'${choice}'`).join(' or ') + hint)
  }

  count(least: number, most: number, expected = `a whole number from ${least} to ${most}`) {
    const { value } = this
    const good = typeof value === 'number' && Number.isInteger(value)
    return good && value >= least && value <= most ? value : this.wrong(expected)
  }

  #unknown(key: string, keys: readonly string[]): void {
    const near = nearest(key, keys)
    const expected = near === undefined ? `one of ${keys.join(', ')}` : `${near} (did you mean it?)`
    this.at(key).wrong(expected, `${this.at(key).path} is not a known key`)
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(value: object, key: string | number): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string | number, unknown>)[key] : undefined
}

/** A value as an author would recognise it, on one short line. */
function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** The choice that is at most two letters away. */
function nearest<T extends string>(text: string, choices: readonly T[]): T | undefined {
  const lower = text.toLowerCase().slice(0, 64)
  const ranked = choices
    .map((choice) => ({ choice, far: distance(lower, choice.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0]
  return ranked !== undefined && ranked.far <= Math.min(2, Math.floor(lower.length / 2))
    ? ranked.choice
    : undefined
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] ?? 0) + (letter === b[j] ? 0 : 1)
      next.push(Math.min(swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
