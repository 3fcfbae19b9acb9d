/** How many are open, and when none is any more. */
export class Drain {
  #open = 0
  readonly #waiting = new Set<() => void>()

  begin(): void {
    this.#open += 1
  }

  end(): void {
    this.#open -= 1
    if (this.#open > 0) return
    for (const wake of this.#waiting) wake()
  }

  /** Resolves when none is open, or after `milliseconds`. */
  async drained(milliseconds: number): Promise<void> {
    if (this.#open === 0) return
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
