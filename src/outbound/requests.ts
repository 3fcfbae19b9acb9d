import type { Call } from '../call/call.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, JsonObject, Message } from '../protocol/message.ts'
import { requestMessage } from '../protocol/read.ts'
import type { Pipe } from '../runtime/pipe.ts'

/** A request whose answer is awaited. */
export interface Pending {
  /** Absent for a request of our own. */
  readonly call?: Call
  /** The client's progress token; ours is the id. */
  readonly token?: Id | undefined
  readonly resolve: (message: Message) => void
  readonly reject: (error: Error) => void
}

/** Requests to one process under ids of our own: numbers, so that no two ever meet. */
export class Requests {
  readonly #pipe: Pipe
  readonly #pending = new Map<number, Pending>()
  readonly #waiting = new Set<() => void>()
  #lastId = 0

  constructor(pipe: Pipe) {
    this.#pipe = pipe
  }

  /** Sends what `write` makes for the new id, and resolves with the answer to it. */
  send(
    write: (id: number) => Uint8Array,
    of: Pick<Pending, 'call' | 'token'> = {},
    sent: (id: number) => void = () => {},
  ): Promise<Message> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pipe.send(write(id))
      this.#pending.set(id, { ...of, resolve, reject })
      sent(id)
    })
  }

  /** A request of our own. Rejects with `timeout` after `milliseconds`, or `tool_gone`. */
  async ask(method: string, params: JsonObject, milliseconds: number): Promise<Message> {
    let timer: NodeJS.Timeout | undefined
    const write = (id: number) => requestMessage(id, method, params).bytes
    const answer = this.send(write, {}, (id) => {
      timer = setTimeout(() => {
        const what = `${method} took longer than ${milliseconds} ms.`
        this.settle(id)?.reject(new ToolgateError('timeout', what))
      }, milliseconds)
    })
    try {
      return await answer
    } finally {
      clearTimeout(timer)
    }
  }

  /** Asks for what no caller waits for; whether the tool agreed. Never rejects. */
  quietly(method: string, params: JsonObject): Promise<boolean> {
    return this.ask(method, params, QUIET).then(
      ({ kind }) => kind === 'result',
      () => false,
    )
  }

  /** Writes a notification or an answer; what is gone or reads nothing is not told. */
  tell(message: Message): void {
    try {
      this.#pipe.send(message.bytes)
    } catch {
      // Its calls are told so, or `alive` finds out.
    }
  }

  get(id: unknown): Pending | undefined {
    return this.#pending.get(id as number)
  }

  /** Takes a request out; whoever does is the one to resolve or reject it. */
  settle(id: unknown): Pending | undefined {
    const pending = this.#pending.get(id as number)
    if (pending === undefined) return undefined
    this.#pending.delete(id as number)
    if (this.#waiting.size > 0 && this.calls().length === 0) {
      for (const wake of this.#waiting) wake()
    }
    return pending
  }

  /** The clients' calls that are open. */
  calls(): Call[] {
    return [...this.#pending.values()].flatMap(({ call }) => call ?? [])
  }

  /** The clients' call that is open, where there is just one. */
  only(): Call | undefined {
    let only: Call | undefined
    for (const { call } of this.#pending.values()) {
      if (call === undefined) continue
      if (only !== undefined) return undefined
      only = call
    }
    return only
  }

  ids(): number[] {
    return [...this.#pending.keys()]
  }

  /** Resolves when no client's call is open, or after `milliseconds`. */
  async drained(milliseconds: number): Promise<void> {
    if (this.calls().length === 0) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      this.#waiting.add(wake)
    })
  }
}

/** Milliseconds for what nobody waits for. */
const QUIET = 30_000
