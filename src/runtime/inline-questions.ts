import type { Id, JsonObject } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import type { Question } from '../tool/options.ts'

interface Open {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** What running functions ask their callers: requests of this process, and the answers to them. */
export class InlineQuestions {
  readonly #send: (message: JsonObject) => void
  readonly #open = new Map<Id, Open>()
  #last = 0
  #ended: Error | undefined

  constructor(send: (message: JsonObject) => void) {
    this.#send = send
  }

  /**
   * Resolves with a result for each key. Rejects with the first error that comes back, with what
   * the call is aborted with, or where too much is asked at once.
   *
   * @param mark says in the params of each request which call asks; false: nobody has to know
   */
  async ask(
    questions: Readonly<Record<string, Question>>,
    signal: AbortSignal,
    mark: false | { readonly _meta: JsonObject },
  ): Promise<Record<string, unknown>> {
    const entries = Object.entries(questions)
    if (entries.some(([, question]) => typeof question?.method !== 'string')) {
      throw new TypeError('Every question has a "method", such as "elicitation/create".')
    }
    if (this.#ended !== undefined) throw this.#ended
    signal.throwIfAborted()
    if (this.#open.size + entries.length > MOST) throw new Error('Too much is asked at once.')
    const ids = entries.map(() => `ask-${++this.#last}`)
    const leave = () => this.#drop(ids, signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    try {
      const answers = entries.map(([, question], at) => this.#put(ids[at] as Id, question, mark))
      const results = await Promise.all(answers)
      return Object.fromEntries(entries.map(([key], at) => [key, results[at]]))
    } finally {
      signal.removeEventListener('abort', leave)
      this.#drop(ids, new Error('Another question failed.'))
    }
  }

  /** A response from outside; one that nobody waits for is skipped. */
  answer({ id, result, error }: JsonObject): void {
    const open = this.#open.get(id as Id)
    if (open === undefined) return
    this.#open.delete(id as Id)
    if (isObject(error)) open.reject(new Error(String(error.message ?? 'The caller refused.')))
    else open.resolve(result)
  }

  /** Nothing is answered any more. */
  end(reason: Error): void {
    this.#ended = reason
    for (const { reject } of this.#open.values()) reject(reason)
    this.#open.clear()
  }

  #put(
    id: Id,
    { method, params }: Question,
    mark: false | { readonly _meta: JsonObject },
  ): Promise<unknown> {
    const own = isObject(params) ? params : {}
    const marked = mark && { _meta: { ...(isObject(own._meta) && own._meta), ...mark._meta } }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#open.set(id, { resolve, reject })
    this.#send({ jsonrpc: '2.0', id, method, params: { ...own, ...marked } })
    return promise
  }

  /** Those that are still open are withdrawn. */
  #drop(ids: readonly Id[], reason: Error): void {
    for (const requestId of ids) {
      const open = this.#open.get(requestId)
      if (open === undefined) continue
      this.#open.delete(requestId)
      open.reject(reason)
      this.#send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })
    }
  }
}

/** Questions that may be open at once. */
const MOST = 256
