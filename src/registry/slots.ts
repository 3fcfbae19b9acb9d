/** Milliseconds after which work no longer counts as quick, and lets another one start beside it. */
const QUICK = 1_000

/** Lets a few things run at once; some slow ones more, so that they hold up nobody. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  #quick = 0
  #slow = 0
  readonly #most: number
  readonly #mostSlow: number

  constructor(most: number, mostSlow: number) {
    this.#most = most
    this.#mostSlow = mostSlow
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#quick >= this.#most) await new Promise<void>((go) => this.#waiting.push(go))
    else this.#quick++
    let slow = false
    const timer = setTimeout(() => {
      if (this.#slow >= this.#mostSlow) return
      slow = true
      this.#slow++
      this.#pass()
    }, QUICK)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      if (slow) this.#slow--
      else this.#pass()
    }
  }

  /** The place goes to the next one that waits. */
  #pass(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#quick--
    else next()
  }
}
