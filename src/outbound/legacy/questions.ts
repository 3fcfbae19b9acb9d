import type { Call, InputRequests, InputResponses } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import { type ErrorCode, ToolgateError, toToolgateError } from '../../errors.ts'
import type { Era, Id, JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { errorMessage, resultMessage } from '../../protocol/read.ts'
import type { Requests } from '../requests.ts'
import { Undeclared } from './undeclared.ts'
import { unmarked, type Whose } from './whose.ts'

interface Question {
  readonly call: Call
  /** Of the tool's request; it is kept until it is answered. */
  readonly bytes: number
  /** Ends it early: whoever asked is told why. */
  end(reason: Error): void
  readonly ended: Promise<void>
}

/** What a shared legacy process asks, and the calls whose clients are asked it. */
export class Questions {
  readonly undeclared = new Undeclared()
  readonly #requests: Requests
  readonly #whose: Whose
  readonly #fail: (call: Call, reason: Error) => void
  /** By the tool's id; those of our own by an object. */
  readonly #open = new Map<Id | object, Question>()
  /** Asked before there was a first call: at its initialize, a tool may want to know the roots. */
  readonly #early: Message[] = []
  #called = false
  /** How much each call has asked: what others ask on the process is not for its client to count. */
  readonly #counts = new WeakMap<Call, number>()

  /** `fail` ends a call as its time limit would. */
  constructor(requests: Requests, whose: Whose, fail: (call: Call, reason: Error) => void) {
    this.#requests = requests
    this.#whose = whose
    this.#fail = fail
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size
  }

  /** A request of the tool. */
  receive(message: Message): void {
    const id = message.id as Id
    const call = this.#whose.call(message)
    if (message.method === 'ping') this.#requests.tell(resultMessage(id, {}))
    else if (this.#open.has(id) || this.#open.size >= MOST) this.#refuse(id, -32600, TOO_MANY)
    else if (this.#isTooMuch(message, call)) this.#refuse(id, -32600, TOO_MUCH)
    else if (call !== undefined) void this.#ask(message, call)
    else if (this.#mayWait(message)) this.#early.push(message)
    else this.#unheard(message)
  }

  /** A call has begun: it is asked what came too early. */
  begun(call: Call): void {
    this.#called = true
    for (const message of this.#early.splice(0)) void this.#ask(message, call)
  }

  /** The tool no longer wants to know. */
  withdraw(id: unknown): void {
    const early = this.#early.findIndex((message) => message.id === id)
    if (early >= 0) this.#early.splice(early, 1)
    this.#open.get(id as Id)?.end(withdrawn)
  }

  /** Asks on our own account. Rejects as `Call.ask` does, or with what ends the call. */
  put(call: Call, requests: InputRequests): Promise<InputResponses> {
    return new Promise((resolve, reject) => {
      const close = this.#begin({}, { call, bytes: 0 }, reject)
      call.ask?.(requests).then(
        (responses) => close() && resolve(responses),
        (error) => close() && reject(error),
      )
    })
  }

  /** Pending while the call's client is asked anything: its answer would be lost. */
  answered(call: Call): Promise<unknown> | undefined {
    if (this.#open.size === 0) return undefined
    const open = [...this.#open.values()].filter((question) => question.call === call)
    return open.length === 0 ? undefined : Promise.all(open.map(({ ended }) => ended))
  }

  /** Nobody answers for this call, or this link, any more. */
  end(of: Call | Link, reason: Error): void {
    for (const question of [...this.#open.values()]) {
      if (question.call === of || question.call.link === of) question.end(reason)
    }
  }

  /** The process is gone. */
  endAll(reason: Error): void {
    this.#early.length = 0
    for (const question of [...this.#open.values()]) question.end(reason)
  }

  async #ask(message: Message, call: Call): Promise<void> {
    const id = message.id as Id
    if (call.ask === undefined) return this.#refuse(id)
    const question = asked(message, call.link.era)
    const close = this.#begin(id, { call, bytes: message.bytes.length }, (reason) => {
      if (reason !== withdrawn) this.#requests.tell(refusal(id, toToolgateError(reason)))
    })
    try {
      const key = this.#keyFor(message, call)
      const responses = await call.ask({ [key]: question })
      if (close()) this.#requests.tell(resultMessage(id, responses[key]))
    } catch (thrown) {
      if (!close()) return
      const error = toToolgateError(thrown)
      this.#requests.tell(refusal(id, error))
      if (error.code === 'missing_capability') this.undeclared.note(call, question)
      if (!HARMLESS.has(error.code)) this.#fail(call, error)
    }
  }

  /** Never used again for the call: an answer that comes twice must fit nothing later. */
  #keyFor({ method }: Message, call: Call): string {
    const count = (this.#counts.get(call) ?? 0) + 1
    this.#counts.set(call, count)
    return `${method?.split('/')[0]}-${count}`
  }

  /** What is returned closes it, and says false where it was closed before. */
  #begin(
    key: Id | object,
    of: Pick<Question, 'call' | 'bytes'>,
    told: (reason: Error) => void,
  ): () => boolean {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const close = () => {
      if (this.#open.get(key) !== question) return false
      resolve()
      return this.#open.delete(key)
    }
    const end = (reason: Error) => {
      if (close()) told(reason)
    }
    const question = { ...of, end, ended }
    this.#open.set(key, question)
    return close
  }

  /** What one call asks is kept until its client comes back with the answers. */
  #isTooMuch({ bytes }: Message, call: Call | undefined): boolean {
    let sum = bytes.length
    for (const question of this.#open.values()) if (question.call === call) sum += question.bytes
    return sum > MOST_BYTES
  }

  /** Later ones are about a call that has ended, and must not be asked for the next one. */
  #mayWait(message: Message): boolean {
    if (this.#called || this.#early.length >= MOST_EARLY) return false
    return message.bytes.length <= SMALL && this.#whose.early(message)
  }

  /** Nobody can be asked; as far as one can tell, it is the only open call that needs it. */
  #unheard(message: Message): void {
    const call = this.#requests.only()
    if (call !== undefined) this.undeclared.note(call, asked(message, call.link.era))
    this.#refuse(message.id as Id)
  }

  #refuse(id: Id, code = -32601, why = NOBODY): void {
    this.#requests.tell(errorMessage(id, code, why))
  }
}

const NOBODY = 'There is no client that can be asked.'
const TOO_MANY = 'The id is in use, or too many requests are open.'
const TOO_MUCH = 'Too much is asked at once.'

/** Questions that may be open at once. */
const MOST = 256
/** Of what one call asks at once. */
const MOST_BYTES = 4 * 1024 * 1024
/** Questions that wait for a call. */
const MOST_EARLY = 8
/** Bytes of one of these. */
const SMALL = 64 * 1024

/** The client said no, could not be asked, or would not know what is asked: the call goes on. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set([
  'missing_capability',
  'input_required',
  'tool_misbehaved',
])

const withdrawn = new ToolgateError('cancelled', 'The tool withdrew its question.')

/** The tool's request as it is asked: as the client's era knows it, and without our own mark. */
function asked(message: Message, era: Era): { method: string; params?: JsonObject } {
  const { method = '' } = message
  const params = unmarked(message)
  if (params === undefined) return { method }
  if (era === 'legacy' || method !== 'elicitation/create') return { method, params }
  const { elicitationId: _id, ...own } = params
  return { method, params: own }
}

/** Why there is no result, as a legacy tool may read it. */
function refusal(id: Id, error: ToolgateError): Message {
  const said = error.code === 'input_required' ? error.data?.error : undefined
  const { code, message } = isObject(said) ? said : {}
  if (typeof code === 'number') return errorMessage(id, code, String(message))
  const rpc = HARMLESS.has(error.code) ? -32601 : error.rpc
  return errorMessage(id, rpc, error.message)
}
