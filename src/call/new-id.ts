import { randomBytes } from 'node:crypto'

/** Until replicas are configured, the gateway's process is its own replica. */
const REPLICA = randomBytes(3).toString('hex')

/** An id of ours, `{replica}.{random}`: 192 bits that nobody guesses. */
export function newId(): string {
  return `${REPLICA}.${randomBytes(24).toString('base64url')}`
}
