import type { Call, InputRequests, InputResponses } from '../call/call.ts'
import { ToolgateError } from '../errors.ts'
import type { Asking } from '../outbound/connection.ts'
import { missingCapabilities } from '../protocol/asks.ts'
import type { Message } from '../protocol/message.ts'

/** What measures a call's time. */
interface Clock {
  /** Its client begins to be asked, or has answered everything. */
  turned(): void
}

/** A call whose request carries our span in `_meta`, and whose questions are checked and timed. */
export class Traced implements Call {
  readonly link: Call['link']
  readonly request: Message
  readonly trace: Call['trace']
  readonly signal?: AbortSignal
  clock: Clock | undefined
  readonly #call: Call
  #open = 0
  #since = 0
  #total = 0

  constructor(call: Call, request: Message) {
    this.link = call.link
    this.request = request
    this.trace = call.trace
    if (call.signal !== undefined) this.signal = call.signal
    this.#call = call
  }

  /** Made only for those who look, as `Reply.ask` is: most calls ask nothing. */
  get ask(): Call['ask'] {
    return this.#call.ask === undefined ? undefined : (requests) => this.#ask(requests)
  }

  notify(message: Message): void {
    this.#call.notify(message)
  }

  /** How long its client was asked; questions that overlap count once. */
  asking(): Asking {
    const open = this.#open === 0 ? undefined : performance.now() - this.#since
    return { total: this.#total + (open ?? 0), open }
  }

  async #ask(requests: InputRequests): Promise<InputResponses> {
    refuseUndeclared(requests, this.link.capabilities)
    if (Object.keys(requests).length === 0) return {}
    this.#begin()
    try {
      return (await this.#call.ask?.(requests)) ?? {}
    } finally {
      this.#end()
    }
  }

  #begin(): void {
    this.#open += 1
    if (this.#open > 1) return
    this.#since = performance.now()
    this.clock?.turned()
  }

  #end(): void {
    this.#open -= 1
    if (this.#open > 0) return
    this.#total += performance.now() - this.#since
    this.clock?.turned()
  }
}

/** Throws `missing_capability` where the client did not declare that it can be asked for it. */
export function refuseUndeclared(
  requests: InputRequests,
  capabilities: Call['link']['capabilities'],
): void {
  const requiredCapabilities = missingCapabilities(requests, capabilities)
  if (requiredCapabilities === undefined) return
  const names = Object.entries(requiredCapabilities).flatMap(([name, parts]) => {
    const inner = Object.keys(parts)
    return inner.length === 0 ? [name] : inner.map((part) => `${name}.${part}`)
  })
  const message = `The client did not declare what it would be asked: ${names.join(', ')}.`
  throw new ToolgateError('missing_capability', message, { data: { requiredCapabilities } })
}
