import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ToolgateError } from '../errors.ts'
import { isRawNumber } from '../protocol/exact-json.ts'
import { isObject } from '../protocol/object.ts'

/** What a client carries between two requests, and whom it was given to. */
export interface Sealed {
  /** `tool`: the tool's own `requestState`; `parked`: the id of a call that waits here. */
  readonly kind: 'tool' | 'parked'
  readonly value: string
}

/** Whose it is: all of it has to be the same again when it comes back. */
export interface Bearer {
  readonly caller: string
  readonly tool: string
  readonly version: string
  /** What `digestOf` made of the request. */
  readonly request: string
}

/** Signs what passes through a client, and reads it again. */
export class Seal {
  readonly #key: Buffer
  readonly #lifetime: number

  /** `key`: null makes one for this process; `lifetime`: milliseconds. */
  constructor(key: string | null, lifetime: number) {
    this.#key = key === null ? randomBytes(32) : createHash('sha256').update(key).digest()
    this.#lifetime = lifetime
  }

  seal({ kind, value }: Sealed, bearer: Bearer): string {
    const { caller, tool, version, request } = bearer
    const until = Date.now() + this.#lifetime
    const text = JSON.stringify([kind, value, caller, tool, version, request, until])
    const body = Buffer.from(text).toString('base64url')
    return `${body}.${this.#sign(body)}`
  }

  /**
   * Throws `invalid_params` where it was not given to this bearer, for this request, just now.
   * `name`: what the client calls it.
   */
  open(state: unknown, bearer: Bearer, name = 'requestState'): Sealed {
    const refuse = (what: string) => {
      return new ToolgateError('invalid_params', `"${name}" ${what}. Call again from the start.`)
    }
    if (typeof state !== 'string') throw refuse('must be a string')
    const read = this.#read(state)
    if (read === undefined) throw refuse('was not signed here')
    const [kind, value, caller, tool, version, request, until] = read
    if (caller !== bearer.caller || tool !== bearer.tool || request !== bearer.request) {
      throw refuse('belongs to another request')
    }
    if (version !== bearer.version) throw refuse('is of another version of the tool')
    if (!(Number(until) > Date.now())) throw refuse('has expired')
    return { kind: kind === 'parked' ? 'parked' : 'tool', value: String(value) }
  }

  /** What was signed; undefined where it was not signed with our key. */
  #read(state: string): unknown[] | undefined {
    const end = state.lastIndexOf('.')
    const body = state.slice(0, Math.max(end, 0))
    const right = Buffer.from(this.#sign(body))
    const given = Buffer.from(state.slice(end + 1))
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown[]
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url')
  }
}

/**
 * The same for the same method and params, whatever the order of their keys; `_meta` and answers
 * left out. Throws `bad_request` for params that are nested too deeply.
 *
 * @param params as `parseExact` gives them: two numbers that a double cannot tell apart are two
 */
export function digestOf(method: string, params: unknown): string {
  const { _meta, inputResponses, requestState, ...own } = isObject(params) ? params : {}
  return createHash('sha256')
    .update(`${method}\n${written(own)}`)
    .digest('base64url')
}

function written(params: unknown): string {
  try {
    return JSON.stringify(sorted(params))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ToolgateError('bad_request', 'The message is nested too deeply.', { cause })
  }
}

/** Still an object: as a list of pairs it would read as a list of lists of the client's. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value) || isRawNumber(value)) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]))
}
