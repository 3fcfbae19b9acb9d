/** Where a text stops being JSON. */
export interface JsonMistake {
  /** Characters from the start, 0 is the first. */
  readonly position: number
  readonly message: string
}

/** Strings, numbers and words whole; what V8 says of a mistake has no position for most of them. */
const TOKEN =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/y
const SPACE = /[ \t\n\r]*/y

type Want = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or ]' | ', or }' | 'the end'

/** Finds the first mistake in a text that is no JSON; linear in its length, and never nested. */
export function findJsonMistake(text: string): JsonMistake {
  const open: ('{' | '[')[] = []
  let want: Want = 'value'
  let position = 0
  for (;;) {
    SPACE.lastIndex = position
    SPACE.exec(text)
    position = SPACE.lastIndex
    if (position === text.length) return { position, message: `the end instead of ${want}` }
    TOKEN.lastIndex = position
    const token: string | undefined = TOKEN.exec(text)?.[0]
    const next: Want | undefined = token === undefined ? undefined : step(token, want, open)
    if (token === undefined || next === undefined) {
      return { position, message: `something else instead of ${want}` }
    }
    position += token.length
    want = next
  }
}

function step(token: string, want: Want, open: ('{' | '[')[]): Want | undefined {
  if (token === ':') return want === ':' ? 'value' : undefined
  if (token === ',') return want === ', or ]' ? 'value' : want === ', or }' ? 'key' : undefined
  if (token === '}' || token === ']') {
    const closes = token === '}' ? ['key or }', ', or }'] : ['value or ]', ', or ]']
    if (!closes.includes(want)) return undefined
    open.pop()
    return after(open)
  }
  if (want === 'key' || want === 'key or }') return token.startsWith('"') ? ':' : undefined
  if (want !== 'value' && want !== 'value or ]') return undefined
  if (token !== '{' && token !== '[') return after(open)
  open.push(token)
  return token === '{' ? 'key or }' : 'value or ]'
}

function after(open: readonly ('{' | '[')[]): Want {
  const inside = open.at(-1)
  return inside === undefined ? 'the end' : inside === '{' ? ', or }' : ', or ]'
}
