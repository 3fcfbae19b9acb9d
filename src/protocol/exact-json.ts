/**
 * JSON text read and written anew with every number as it was written: integers beyond 2^53, long
 * decimals, `1e400`. Throws what JSON.parse and JSON.stringify throw.
 */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? exact.rawJSON(source)
      : value,
  )
}

/** Whether the text may hold a number that a double would change; true for some that it would not. */
export function hasLongNumber(text: string): boolean {
  return LONG_NUMBER.test(text)
}

const LONG_NUMBER = /[0-9.]{16}|[0-9][eE][-+0-9]/

/** What Node 24 has and the types do not. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown
  rawJSON(text: string): unknown
}

const exact = JSON as unknown as ExactJson
