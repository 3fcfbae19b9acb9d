import type { Call } from '../../call/call.ts'
import { missingOfKnown } from '../../protocol/asks.ts'
import { exactly } from '../../protocol/exactly.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { CALL_ID } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import type { Requests } from '../requests.ts'
import type { SharedHow } from './how.ts'

/** Whose call it is that a shared legacy process speaks about, as far as that can be known. */
export class Whose {
  readonly #how: SharedHow
  readonly #requests: Requests

  constructor(how: SharedHow, requests: Requests) {
    this.#how = how
    this.#requests = requests
  }

  /** A child of our own says it; else it is the one call that is open. */
  call(message: Message): Call | undefined {
    const named = this.#named(message)
    if (named !== undefined) return this.#requests.get(named)?.call
    return this.#how.exclusive ? this.#requests.only() : undefined
  }

  /** It belongs to no call so far, and may belong to the next one, whose client can be asked it. */
  early(message: Message): boolean {
    const { exclusive, capabilities } = this.#how
    if (!exclusive || this.#named(message) !== undefined) return false
    if (this.#requests.calls().length > 0) return false
    return missingOfKnown({ question: message.json() }, capabilities) === undefined
  }

  #named(message: Message): unknown {
    return this.#how.correlated ? metaOf(message)?.[CALL_ID] : undefined
  }
}

/** The params of a message without our own mark, for writing; undefined where there are none. */
export function unmarked(message: Message): JsonObject | undefined {
  const { params } = exactly(message)
  if (!isObject(params)) return undefined
  const { _meta: meta, ...own } = params
  if (!isObject(meta) || !(CALL_ID in meta)) return params
  const { [CALL_ID]: _call, ...others } = meta
  return Object.keys(others).length === 0 ? own : { _meta: others, ...own }
}

function metaOf(message: Message): JsonObject | undefined {
  const { params } = message.json()
  const meta = isObject(params) ? params._meta : undefined
  return isObject(meta) ? meta : undefined
}
