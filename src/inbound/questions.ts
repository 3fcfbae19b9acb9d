import { randomBytes } from 'node:crypto'
import type { InputRequest, InputRequests, InputResponses } from '../call/call.ts'
import { ToolgateError } from '../errors.ts'
import { exactly } from '../protocol/exactly.ts'
import type { Id, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import { notificationMessage, requestMessage } from '../protocol/read.ts'

/** An open call whose client can be asked. */
export interface Asker {
  /** Set when the call has ended: nothing is asked for it any more. */
  over: boolean
  /** Sends its client a message on the call's own stream. */
  carry(message: Message): void
}

interface Question {
  readonly asker: Asker
  readonly method: string
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** What the client of a legacy session is asked for its calls: JSON-RPC requests of our own. */
export class Questions {
  /** Random, so that no question is taken for one that a tool asks under an id of its own. */
  readonly #prefix = `toolgate:${randomBytes(12).toString('base64url')}:`
  readonly #open = new Map<Id, Question>()
  #last = 0

  /**
   * Asks all of it at once, and resolves with a result for each key. Rejects with `unavailable`
   * for one question too many, `input_required` where the client refuses, `cancelled` when the
   * call ends first; what is still open then, the client need not answer any more.
   *
   * @param version the protocol version agreed with the client
   */
  async ask(asker: Asker, requests: InputRequests, version: string): Promise<InputResponses> {
    if (asker.over) throw callEnded()
    const entries = Object.entries(requests)
    if (this.#open.size + entries.length > MOST) {
      const message = `The client is asked as much at once as it may be: ${MOST} questions.`
      throw new ToolgateError('unavailable', message)
    }
    const ids: Id[] = []
    try {
      const answers = entries.map(async ([key, request]) => {
        const id = `${this.#prefix}${++this.#last}`
        ids.push(id)
        return [key, await this.#put(id, asker, request, version)]
      })
      return Object.fromEntries(await Promise.all(answers))
    } finally {
      this.#withdraw(ids)
    }
  }

  /** True for an answer to a question of ours, however late; it is nobody else's to read. */
  take(message: Message): boolean {
    const { id, kind } = message
    if (kind !== 'result' && kind !== 'error') return false
    if (typeof id !== 'string' || !id.startsWith(this.#prefix)) return false
    const question = this.#open.get(id)
    if (question === undefined) return true
    this.#open.delete(id)
    const { result, error } = message.json()
    if (kind === 'result' && isObject(result)) question.resolve(exactly(message).result)
    // A form that cannot be shown is a form that nobody filled in: that has an answer of its own.
    else if (question.method === ELICITATION) question.resolve({ action: 'cancel' })
    else question.reject(refusal(question.method, error))
    return true
  }

  /** The call has ended, and with it all it asks. */
  drop(asker: Asker): void {
    asker.over = true
    if (this.#open.size === 0) return
    this.#withdraw([...this.#open].filter(([, of]) => of.asker === asker).map(([id]) => id))
  }

  #put(id: Id, asker: Asker, request: InputRequest, version: string): Promise<unknown> {
    const message = requestMessage(id, request.method, paramsFor(version, request, id))
    return new Promise((resolve, reject) => {
      this.#open.set(id, { asker, method: request.method, resolve, reject })
      asker.carry(message)
    })
  }

  #withdraw(ids: readonly Id[]): void {
    for (const requestId of ids) {
      const question = this.#open.get(requestId)
      if (question === undefined) continue
      this.#open.delete(requestId)
      question.asker.carry(notificationMessage('notifications/cancelled', { requestId }))
      question.reject(callEnded())
    }
  }
}

/** Questions that may be open at once in one session. */
const MOST = 256
const ELICITATION = 'elicitation/create'
/** The first version whose elicitation has modes, and an id where the mode is `url`. */
const MODES = '2025-11-25'

/** The params as a client of this version knows them. */
function paramsFor(version: string, { method, params }: InputRequest, id: Id) {
  if (!isObject(params)) return undefined
  if (method !== ELICITATION) return params
  if (params.mode === 'url') return { elicitationId: id, ...params }
  if (version >= MODES || params.mode !== 'form') return params
  const { mode: _mode, ...older } = params
  return older
}

function refusal(method: string, error: unknown): ToolgateError {
  const { code, message } = isObject(error) ? error : { message: 'its answer is no result' }
  const what = `The client was asked for ${method} and refused: ${String(message).slice(0, 500)}`
  return new ToolgateError('input_required', what, { data: { method, error: { code, message } } })
}

function callEnded(): ToolgateError {
  return new ToolgateError('cancelled', 'The call that asks has ended.')
}
