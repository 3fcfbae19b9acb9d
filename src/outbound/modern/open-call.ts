import type { Call } from '../../call/call.ts'

/** A client's call from its request to its answer, however many requests to the tool it takes. */
export class OpenCall {
  readonly call: Call
  /** Our id of the request that the tool has. */
  id: number | undefined
  /** Why it was given up. */
  reason: Error | undefined
  #interrupt: ((reason: Error) => void) | undefined

  constructor(call: Call) {
    this.call = call
  }

  /** The first reason wins. */
  giveUp(reason: Error): void {
    this.reason ??= reason
    this.#interrupt?.(this.reason)
  }

  /** Waits for something else than the tool's answer. Rejects when the call is given up. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject
      promise.then(resolve, reject)
      if (this.reason !== undefined) reject(this.reason)
    })
  }
}
