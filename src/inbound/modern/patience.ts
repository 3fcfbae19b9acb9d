/** Whoever waits for an answer. */
export interface Waiting {
  /** It has waited long enough. */
  open(): void
}

/** Tells those that wait when they have waited long enough: one timer for all of them. */
export class Patience {
  readonly #milliseconds: number
  /** Until when each waits, the first to come first. */
  readonly #waiting = new Map<Waiting, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  start(waiting: Waiting): void {
    this.#waiting.set(waiting, performance.now() + this.#milliseconds)
    this.#timer ??= setTimeout(() => this.#look(), this.#milliseconds).unref()
  }

  stop(waiting: Waiting): void {
    this.#waiting.delete(waiting)
  }

  #look(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [waiting, until] of this.#waiting) {
      if (until > now) {
        this.#timer = setTimeout(() => this.#look(), Math.ceil(until - now)).unref()
        return
      }
      this.#waiting.delete(waiting)
      waiting.open()
    }
  }
}
