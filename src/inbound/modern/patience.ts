import { Ring } from '../../ring.ts'

/** Whoever waits for an answer. */
export interface Waiting {
  /** It has waited long enough. */
  open(): void
}

interface Wait {
  readonly waiting: Waiting
  readonly until: number
}

/** Tells those that wait when they have waited long enough: one timer for all of them. */
export class Patience {
  readonly #milliseconds: number
  readonly #waits = new Ring<Wait>()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /** What is returned stops it. */
  start(waiting: Waiting): number {
    this.#timer ??= setTimeout(() => this.#look(), this.#milliseconds).unref()
    return this.#waits.add({ waiting, until: performance.now() + this.#milliseconds })
  }

  stop(wait: number): void {
    this.#waits.take(wait)
  }

  #look(): void {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const key of this.#waits.keys()) {
      const { waiting, until = now } = this.#waits.get(key) ?? {}
      if (until > now) next = Math.min(next, until)
      else {
        this.#waits.take(key)
        waiting?.open()
      }
    }
    const left = Math.ceil(next - now)
    this.#timer =
      next < Number.POSITIVE_INFINITY ? setTimeout(() => this.#look(), left).unref() : undefined
  }
}
