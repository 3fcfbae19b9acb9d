import type { InputRequest, InputRequests, InputResponses } from '../call/call.ts'
import { ToolgateError } from '../errors.ts'
import { isRawNumber } from '../protocol/exact-json.ts'
import type { JsonObject } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'

/** What one call asks its client, until it is answered. */
export class Questions {
  /** By the key that the client knows. */
  readonly #open = new Map<string, Question>()

  /** How many are not answered yet. */
  get size(): number {
    return this.#open.size
  }

  /** Asks them all; resolves when all are answered, under the keys they came with. */
  add(requests: InputRequests): Promise<InputResponses> {
    const entries = Object.entries(requests)
    if (this.#open.size + entries.length > MOST) {
      const message = `The tool asks for more than ${MOST} things at once.`
      return Promise.reject(new ToolgateError('tool_misbehaved', message))
    }
    return new Promise((resolve, reject) => {
      const answers: [string, unknown][] = []
      const answered = (key: string, answer: unknown) => {
        if (answers.push([key, answer]) === entries.length) resolve(Object.fromEntries(answers))
      }
      for (const [key, request] of entries) {
        const question = { request, reject, answer: (value: unknown) => answered(key, value) }
        this.#open.set(this.#free(key, requests), question)
      }
    })
  }

  /** Those that are open, by the client's keys. */
  all(): InputRequests {
    return Object.fromEntries(Array.from(this.#open, ([key, { request }]) => [key, request]))
  }

  /**
   * Takes what is answered of them; numbers may stand in it as `parseExact` leaves them. Throws
   * `invalid_params`, and has taken nothing then.
   */
  answer(responses: unknown): void {
    if (!isResult(responses)) throw refusal('"inputResponses" must be an object.')
    const answered = [...this.#open].filter(([key]) => Object.hasOwn(responses, key))
    const wrong = answered.find(([key]) => !isResult(responses[key]))
    if (wrong !== undefined) {
      throw refusal(`The answer to ${JSON.stringify(wrong[0])} must be an object, a result.`)
    }
    for (const [key, question] of answered) {
      this.#open.delete(key)
      question.answer(responses[key])
    }
  }

  /** Nobody answers them any more. */
  fail(error: Error): void {
    for (const { reject } of this.#open.values()) reject(error)
    this.#open.clear()
  }

  /** The tool's own key, where no other question that is open has it. */
  #free(key: string, beside: InputRequests): string {
    let free = key
    for (let count = 2; this.#taken(free, key, beside); count += 1) free = `${key}_${count}`
    return free
  }

  #taken(free: string, key: string, beside: InputRequests): boolean {
    return this.#open.has(free) || (free !== key && Object.hasOwn(beside, free))
  }
}

interface Question {
  readonly request: InputRequest
  answer(value: unknown): void
  reject(error: Error): void
}

const MOST = 256

function isResult(value: unknown): value is JsonObject {
  return isObject(value) && !isRawNumber(value)
}

function refusal(message: string): ToolgateError {
  return new ToolgateError('invalid_params', message)
}
