import { randomFillSync } from 'node:crypto'

/** What a W3C `traceparent` says. */
export interface TraceParent {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: string
  readonly sampled: boolean
}

/**
 * Reads a `traceparent` of any version, as https://www.w3.org/TR/trace-context-2/ says: a later
 * version may append fields. Undefined for what is malformed.
 */
export function parseTraceparent(text: string | undefined): TraceParent | undefined {
  if (text === undefined || text.length < LENGTH || text.length > LONGEST) return undefined
  if (!FORM.test(text)) return undefined
  if (text.length > LENGTH && text.startsWith('00')) return undefined
  const traceId = text.slice(3, 35)
  const spanId = text.slice(36, 52)
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(text.slice(53, 55), 16) & 1) === 1 }
}

export function writeTraceparent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** Random hexadecimal digits; the bytes are drawn from the kernel in batches. */
export function randomHex(bytes: number): string {
  if (taken + bytes > pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  const from = taken
  taken += bytes
  return pool.toString('hex', from, taken)
}

const pool = Buffer.allocUnsafeSlow(4096)
let taken = pool.length

const FORM = /^(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?$/
const LENGTH = 55
const LONGEST = 512
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
