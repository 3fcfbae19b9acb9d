import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '../call/caller.ts'
import type { Config } from '../config/config.ts'
import { isLoopback } from '../config/exposure.ts'
import { ToolgateError } from '../errors.ts'
import type { Meters } from '../telemetry/telemetry.ts'

export type Identify = (headers: IncomingHttpHeaders) => Caller

/**
 * Reads who sends a request from its API key. Without one it is anonymous, where no keys are
 * configured and only this machine can connect or `unauthenticated` says so; a key that is wrong is
 * refused even there, and so are two. The same key always gives the same object.
 */
export function createIdentify(
  config: Pick<Config, 'listen' | 'keys' | 'unauthenticated'>,
  meters: Pick<Meters, 'authFailed'>,
): Identify {
  const known = new Map(config.keys.map((key) => [key.hash.toLowerCase(), intern(key)]))
  const open =
    config.keys.length === 0 && (config.unauthenticated || isLoopback(config.listen.host))
  const refuse = (reason: Reason): never => {
    meters.authFailed(reason)
    throw new ToolgateError('unauthorized', MESSAGES[reason])
  }
  return (headers) => {
    const { authorization } = headers
    const header = headers['x-api-key']
    if (authorization === undefined && header === undefined) {
      return open ? ANONYMOUS : refuse('missing')
    }
    if (authorization !== undefined && header !== undefined) return refuse('ambiguous')
    const key = authorization === undefined ? header : bearer(authorization)
    if (typeof key !== 'string' || !KEY.test(key)) return refuse('malformed')
    return find(known, key) ?? refuse('wrong')
  }
}

interface Known {
  readonly caller: Caller
  readonly digest: Buffer
}

function intern(key: Config['keys'][number]): Known {
  const { id, roles, scopes } = key
  const caller = Object.freeze({ id, anonymous: false, roles, scopes })
  return { caller, digest: Buffer.from(key.hash.slice(PREFIX.length), 'hex') }
}

/** The map leads to at most one digest; the comparison that decides takes the same time always. */
function find(known: ReadonlyMap<string, Known>, key: string): Caller | undefined {
  const digest = hash('sha256', key, 'hex')
  const found = known.get(PREFIX + digest)
  if (found === undefined) return undefined
  return timingSafeEqual(found.digest, Buffer.from(digest, 'hex')) ? found.caller : undefined
}

/** The token of `Bearer TOKEN`; the scheme's case does not matter (RFC 9110, 11.1). */
function bearer(authorization: string): string | undefined {
  return /^bearer +(\S+)$/i.exec(authorization)?.[1]
}

const ANONYMOUS: Caller = Object.freeze({
  id: 'anonymous',
  anonymous: true,
  roles: Object.freeze([]),
  scopes: Object.freeze([]),
})

const PREFIX = 'sha256:'

/** Visible ASCII, bounded, so that nobody has us hash megabytes. */
const KEY = /^[\x21-\x7e]{1,4096}$/

/** Also the values of the metric's label. */
const MESSAGES = {
  missing: 'An API key is needed, as Authorization: Bearer KEY or X-API-Key: KEY.',
  malformed: 'The credential is malformed; send Authorization: Bearer KEY or X-API-Key: KEY.',
  ambiguous: 'Two credentials were sent; send one of Authorization and X-API-Key.',
  wrong: 'The API key is not known.',
} as const

type Reason = keyof typeof MESSAGES
