/**
 * The known key that this one imitates: another by case, Unicode folding, a NUL or an invisible
 * character, so that a lenient reader behind us would take it for the known one. Undefined for the
 * known keys themselves and for keys of their own.
 */
export type Imitated = (key: string) => string | undefined

export function imitationsOf(known: readonly string[]): Imitated {
  const exact = new Set(known)
  const folded = new Map(known.map((key) => [fold(key), key]))
  return (key) => {
    if (exact.has(key)) return undefined
    if (PLAIN.test(key)) return folded.get(key.toLowerCase())
    // A reader in C takes a NUL for the end, another skips it.
    const [start = ''] = key.split('\0', 1)
    return folded.get(fold(key)) ?? folded.get(fold(start))
  }
}

const PLAIN = /^[ -~]*$/

// Up and down again folds what lower case alone leaves: long s, sharp s, dotless i.
function fold(key: string): string {
  const visible = key.normalize('NFKC').replace(INVISIBLE, '')
  return visible.toUpperCase().toLowerCase().replaceAll('i\u0307', 'i')
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
