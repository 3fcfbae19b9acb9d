/** The one of `words` that was most likely meant by `word`, or undefined. */
export function closest(word: string, words: Iterable<string>): string | undefined {
  const given = word.slice(0, 64).toLowerCase()
  let best: string | undefined
  let least = Math.max(1, Math.floor(given.length / 3)) + 1
  for (const candidate of words) {
    const steps = distance(given, candidate.toLowerCase())
    if (steps < least) {
      least = steps
      best = candidate
    }
  }
  return best
}

/** `unknown key`, with ` (did you mean "call"?)` where something is near enough. */
export function withSuggestion(message: string, word: string, words: Iterable<string>): string {
  const meant = closest(word, words)
  return meant === undefined ? message : `${message} (did you mean "${meant}"?)`
}

/** Edits, where two letters in the wrong order count as one (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next.push(
        Math.min(
          at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
          at(row, j) + 1,
          at(next, j - 1) + 1,
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = row
    row = next
  }
  return at(row, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
