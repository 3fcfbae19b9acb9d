import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ToolgateError } from '../errors.ts'
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

  /** Throws `invalid_params` where it was not given to this bearer, for this request, just now. */
  open(state: unknown, bearer: Bearer): Sealed {
    const [kind, value, caller, tool, version, request, until] = this.#read(state)
    if (caller !== bearer.caller || tool !== bearer.tool || request !== bearer.request) {
      throw refusal('"requestState" belongs to another request')
    }
    if (version !== bearer.version) throw refusal('"requestState" is of an older version of it')
    if (!(Number(until) > Date.now())) throw refusal('"requestState" has expired')
    return { kind: kind === 'parked' ? 'parked' : 'tool', value: String(value) }
  }

  #read(state: unknown): unknown[] {
    if (typeof state !== 'string') throw refusal('"requestState" must be a string')
    const [body = '', signature = '', ...more] = state.split('.')
    const right = Buffer.from(this.#sign(body))
    const given = Buffer.from(signature)
    if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) {
      throw refusal('"requestState" was not signed here')
    }
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown[]
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url')
  }
}

/** The same for the same method and params, whatever the order of their keys; `_meta` and answers left out. */
export function digestOf(method: string, params: unknown): string {
  const { _meta, inputResponses, requestState, ...own } = isObject(params) ? params : {}
  return createHash('sha256')
    .update(`${method}\n${JSON.stringify(sorted(own))}`)
    .digest('base64url')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key])])
}

function refusal(what: string): ToolgateError {
  return new ToolgateError('invalid_params', `${what}. Call again without it.`)
}
