import { withSuggestion } from '../tool/closest.ts'
import type { Form } from './form.ts'
import type { ListRow, Row, Section, Values } from './keys.ts'
import type { Mistake, Place } from './mistake.ts'
import type { Entry, Found } from './yaml.ts'

/** Where each key that was set stands, by its path. */
export type Places = Map<string, Place>

/** As it was read: what is wrong has been said already, and is undefined. */
export type Readable<T> = T extends readonly (infer E)[]
  ? readonly Readable<E>[] | undefined
  : T extends object
    ? { readonly [K in keyof T]: Readable<T[K]> }
    : T | undefined

/**
 * Reads what was found by the table `section`. Every mistake is added to `mistakes`; what could
 * not be read is undefined, whatever its type says.
 */
export function readSection<S extends Section>(
  section: S,
  source: Found | undefined,
  mistakes: Mistake[],
  places: Places,
  path = '',
): Values<S> {
  const entries = entriesOf(source, mistakes, path)
  for (const [name, { key }] of entries) {
    if (Object.hasOwn(section, name)) continue
    const message = withSuggestion(`there is no key "${name}"`, name, Object.keys(section))
    const expected = `one of ${Object.keys(section).join(', ')}`
    mistakes.push({ place: key, path: join(path, name), message, expected })
  }
  const values = Object.entries(section).map(([name, row]) => {
    const entry = entries.get(name)
    const at = join(path, name)
    if (entry) places.set(at, entry.place)
    if (isList(row)) return [name, readList(row, entry, mistakes, places, at)]
    if (!isRow(row)) return [name, readSection(row, entry, mistakes, places, at)]
    if (entry) return [name, readValue(row.form, entry, mistakes, at)]
    if (row.fallback === undefined) missing(row, at)
    return [name, row.fallback === undefined ? undefined : row.form.read(row.fallback)]
  })
  return Object.fromEntries(values)

  function missing(row: Row<unknown>, at: string): void {
    // What is no map at all has been said already.
    if (!source || !(source.value === null || source.value instanceof Map)) return
    const { place } = source
    mistakes.push({ place, path: at, message: 'it is missing', expected: row.form.expected })
  }
}

/** Reads one value; undefined, and one mistake more, where it is not of the form. */
export function readValue<T>(form: Form<T>, found: Found, mistakes: Mistake[], path: string) {
  const { place, value } = found
  try {
    if (Array.isArray(value) || value instanceof Map) throw new TypeError()
    return form.read(value)
  } catch (error) {
    const message = form.secret ? 'found something else' : `found ${show(value)}`
    // A form that knows better than its general description says so.
    const own = error instanceof RangeError && /^expected (.+)/.exec(error.message)?.[1]
    mistakes.push({ place, path, message, expected: own || form.expected })
    return undefined
  }
}

function readList(
  row: ListRow<unknown>,
  source: Found | undefined,
  mistakes: Mistake[],
  places: Places,
  path: string,
): readonly unknown[] | undefined {
  if (!source || source.value === null) return []
  if (!Array.isArray(source.value)) {
    const message = `found ${show(source.value)}`
    mistakes.push({ place: source.place, path, message, expected: 'a list, such as [] for none' })
    return undefined
  }
  return source.value.map((item: Found, index) => {
    const at = `${path}[${index}]`
    places.set(at, item.place)
    return isForm(row.each)
      ? readValue(row.each, item, mistakes, at)
      : readSection(row.each, item, mistakes, places, at)
  })
}

function entriesOf(source: Found | undefined, mistakes: Mistake[], path: string) {
  if (source?.value instanceof Map) return source.value as ReadonlyMap<string, Entry>
  if (source && source.value !== null) {
    const message = `found ${show(source.value)}`
    mistakes.push({ place: source.place, path, message, expected: 'keys with values' })
  }
  return new Map<string, Entry>()
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Map) return 'keys with values'
  if (value === undefined || value === null || value === '') return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function isForm(each: Form<unknown> | Section): each is Form<unknown> {
  return typeof each.read === 'function'
}

function isRow(row: Section[string]): row is Row<unknown> {
  return 'fallback' in row
}

function isList(row: Section[string]): row is ListRow<unknown> {
  return 'each' in row
}
