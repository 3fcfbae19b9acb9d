import { withSuggestion } from './closest.ts'

/** One mistake in a declaration: where, what was there, what was expected. */
export interface Mistake {
  /** Such as `policy.network`; empty: the declaration as a whole. */
  readonly path: string
  /** What was there; neither its path nor what was expected. */
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
  wrong(expected: string, message = this.#found()): undefined {
    if (this.#mistakes.length < MOST) this.#mistakes.push({ path: this.path, message, expected })
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

  /** A list of texts; absent is empty. `allowed` says which, in the words of `each`. */
  texts(each = 'a text', allowed = (_text: string) => true): string[] {
    if (this.absent) return []
    if (!Array.isArray(this.value)) {
      this.wrong(`a list where each item is ${each}`)
      return []
    }
    for (const [index, item] of this.value.entries()) {
      const good = typeof item === 'string' && !item.includes('\0') && allowed(item)
      if (!good) this.at(index).wrong(each)
    }
    return this.value.filter((item) => typeof item === 'string')
  }

  oneOf<const T extends string>(choices: readonly T[], expected = listed(choices)): T | undefined {
    const { value } = this
    const found = choices.find((choice) => choice === value)
    if (found !== undefined) return found
    if (typeof value !== 'string') return this.wrong(expected)
    return this.wrong(expected, withSuggestion(this.#found(), value, choices))
  }

  count(least: number, most: number, expected = `a whole number from ${least} to ${most}`) {
    const { value } = this
    const good = typeof value === 'number' && Number.isInteger(value)
    return good && value >= least && value <= most ? value : this.wrong(expected)
  }

  /** True or false; absent is `unsaid`. */
  flag(unsaid: boolean): boolean {
    if (this.absent) return unsaid
    if (typeof this.value === 'boolean') return this.value
    this.wrong('true or false')
    return unsaid
  }

  #unknown(key: string, keys: readonly string[]): void {
    const message = withSuggestion(`there is no key ${show(key)}`, key, keys)
    this.at(key).wrong(`one of ${keys.join(', ')}`, message)
  }

  #found(): string {
    if (this.value === undefined) return 'it is missing'
    return `found ${this.value === '' ? 'nothing' : show(this.value)}`
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(value: object, key: string | number): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string | number, unknown>)[key] : undefined
}

function listed(choices: readonly string[]): string {
  return choices.map((choice) => `'${choice}'`).join(' or ')
}

/** A value as an author would recognise it, on one short line. */
function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
