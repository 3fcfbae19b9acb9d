import { randomUUID } from 'node:crypto'

/**
 * JSON text as a value that JSON.stringify writes with each number as it was written: integers
 * beyond 2^53, long decimals, `1e400`, `1.0`. Such numbers stand in it as raw JSON objects, so it
 * is for writing only. Throws what JSON.parse throws, and a RangeError where JSON.stringify would.
 *
 * They come in as marked strings, because a reviver costs 25 times the parse.
 */
export function parseExact(text: string): unknown {
  if (!hasLongNumber(text)) return JSON.parse(text)
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') ? token : `"${MARK}${token}"`,
  )
  const root = [JSON.parse(marked)]
  unmark(root)
  return root[0]
}

/** Whether the text may hold a number that JSON.stringify would write in another way. */
export function hasLongNumber(text: string): boolean {
  return LONG_NUMBER.test(text)
}

/** A number that stands in `parseExact` as it was written: no object, whatever it looks like. */
export function isRawNumber(value: unknown): boolean {
  return exact.isRawJSON(value)
}

function unmark(parent: Record<string | number, unknown> | unknown[]): void {
  if (Array.isArray(parent)) {
    for (let index = 0; index < parent.length; index++) parent[index] = unmarked(parent[index])
    return
  }
  for (const key in parent) {
    const value = parent[key]
    const plain = unmarked(value)
    if (plain !== value) parent[key] = plain
  }
}

function unmarked(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.startsWith(MARK) ? exact.rawJSON(value.slice(MARK.length)) : value
  }
  if (typeof value === 'object' && value !== null) unmark(value as Record<string, unknown>)
  return value
}

// 16 digits or more, an exponent, a zero behind the point, minus zero; each where a number ends, so
// that versions, dates and hexadecimal ids in strings cost nothing.
const LONG_NUMBER = /(?:(?<![0-9.])[0-9.]{16,}|[0-9][eE][-+]?[0-9]+|\.[0-9]*0|-0)(?=[\s,}\]]|$)/
const STRING_OR_NUMBER = new RegExp(
  [
    '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"',
    '-?[0-9][0-9.]{15,}(?:[eE][-+]?[0-9]+)?',
    '-?[0-9][0-9.]*[eE][-+]?[0-9]+',
    '-?[0-9]+\\.[0-9]*0(?![0-9])',
    '-0(?![.0-9])',
  ].join('|'),
  'g',
)
// Unguessable, so that no client can write one; and it could only become another scalar.
const MARK = `number ${randomUUID()} `

/** What Node 24 has and the types do not. */
const exact = JSON as unknown as {
  rawJSON(text: string): object
  isRawJSON(value: unknown): boolean
}
