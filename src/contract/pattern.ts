/**
 * A tool's `pattern` as a regular expression: with the `u` flag as the standard has it, without
 * where only that compiles. Throws SyntaxError.
 */
export function pattern(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    return new RegExp(source)
  }
}

/**
 * Whether a pattern takes linear time on every text, as far as a glance can tell: one character or
 * class is repeated without bound at most, from the start of the text, and nothing is grouped.
 */
export function isLinear(source: string): boolean {
  const bare = source.replace(/\\[^1-9k]/g, 'x').replace(/\[[^\]]*\]/g, 'x')
  if (/[()\\]/.test(bare)) return false
  const repeats = bare.match(/[*+]|\{\d+,\}|\{\d{3,}|,\d{3,}\}/g)?.length ?? 0
  return repeats === 0 || (repeats === 1 && bare.startsWith('^'))
}
