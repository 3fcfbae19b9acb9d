/** What a duration looks like, for messages. */
export const DURATION_FORM = 'a duration with its unit, such as 500ms, 30s, 5m or 1h'

/** The longest a Node timer can wait: a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/**
 * Milliseconds of `500ms`, `30s`, `1.5m` or `1h`. The unit is obligatory.
 * Throws a TypeError for what is no text, and a RangeError for text that is no duration or is
 * longer than 24 days.
 */
export function parseDuration(text: unknown): number {
  if (typeof text !== 'string') throw new TypeError(`expected ${DURATION_FORM}`)
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text.trim())
  if (!match) throw new RangeError(`expected ${DURATION_FORM}`)
  const milliseconds = Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS])
  if (milliseconds > LONGEST) throw new RangeError('expected a duration of at most 24 days')
  return milliseconds
}
