/** What a size looks like, for messages. */
export const SIZE_FORM = 'a size with its unit, such as 512B, 64KB, 16MB or 1GB'

const UNITS = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 } as const

/**
 * Bytes of `512B`, `64KB`, `1.5MB` or `1GB`; `1KB` is 1,024 bytes. The unit is obligatory.
 * Throws a TypeError for what is no text, and a RangeError for text that is no size or that
 * cannot be counted exactly.
 */
export function parseSize(text: unknown): number {
  if (typeof text !== 'string') throw new TypeError(`expected ${SIZE_FORM}`)
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(B|KB|MB|GB)$/.exec(text.trim())
  if (!match) throw new RangeError(`expected ${SIZE_FORM}`)
  const bytes = Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS])
  if (!Number.isSafeInteger(bytes)) throw new RangeError('expected a size that can be counted')
  return bytes
}
