import { randomBytes } from 'node:crypto'

/** Short enough for every log line, and told apart between gateways by its beginning. */
const PREFIX = randomBytes(4).toString('hex')
let last = 0

/** The id of a request: the client's own where it is harmless, else a new one. */
export function newRequestId(given: string | string[] | undefined): string {
  if (typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given)) return given
  last += 1
  return `${PREFIX}-${last.toString(36)}`
}
