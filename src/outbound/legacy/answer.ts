import type { Call } from '../../call/call.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { errorMessage, resultMessage, withId } from '../../protocol/read.ts'
import { Addition, withResult } from '../../protocol/with-result.ts'
import { refuseUndeclared } from '../not-declared.ts'
import { URL_ELICITATION_REQUIRED, urlRequests } from './url-elicitation.ts'

/** What a legacy tool answers, as its clients know it: a legacy one gets it as it is. */
export class Answers {
  readonly #meta: JsonObject
  readonly #complete: Addition
  readonly #cacheable: Addition

  /** `serverInfo`: who the tool says it is. */
  constructor(serverInfo: unknown) {
    this.#meta = isObject(serverInfo) ? { [META.serverInfo]: serverInfo } : {}
    this.#complete = new Addition(COMPLETE, this.#meta)
    this.#cacheable = new Addition(CACHEABLE, this.#meta)
  }

  /**
   * The answer under the client's id. Throws `tool_misbehaved`, and `missing_capability` where the
   * tool needs its client to open a URL, which it cannot.
   */
  of(call: Call, answer: Message): Message {
    const { request, link } = call
    const id = request.id as Id
    if (link.era === 'legacy') return withId(answer, id)
    if (answer.kind === 'error') return this.#error(call, answer)
    const cacheable = CACHEABLE_METHODS.has(request.method)
    return withResult(answer, id, cacheable ? this.#cacheable : this.#complete)
  }

  /** The end of a listen of this id, nothing having gone wrong. */
  goodbye(id: Id): Message {
    const _meta = { ...this.#meta, [META.subscriptionId]: id }
    return resultMessage(id, { ...COMPLETE, _meta })
  }

  #error(call: Call, answer: Message): Message {
    const id = call.request.id as Id
    const { error } = answer.json()
    const { code, message, data } = isObject(error) ? error : {}
    const modern = MODERN_CODES.get(code)
    if (modern === undefined) return withId(answer, id)
    const inputRequests = urlRequests(answer)
    if (inputRequests === undefined) return errorMessage(id, modern, String(message), data)
    refuseUndeclared(inputRequests, call)
    return resultMessage(id, {
      resultType: 'input_required',
      inputRequests,
      _meta: this.#meta,
    })
  }
}

const COMPLETE = { resultType: 'complete' }
const CACHEABLE = { ...COMPLETE, ttlMs: 0, cacheScope: 'private' }
const CACHEABLE_METHODS: ReadonlySet<string | undefined> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

/** Codes that the modern era has no more; the second only where it says nothing to open. */
const MODERN_CODES: ReadonlyMap<unknown, number> = new Map([
  [-32002, -32602],
  [URL_ELICITATION_REQUIRED, -32603],
])
