import { ToolgateError } from '../errors.ts'

/** Keeps what fails, at its start or soon after it, from being started again and again. */
export class Backoff {
  #failures = 0
  #notBefore = 0

  /** Milliseconds until it may be tried again. */
  get wait(): number {
    return Math.max(0, this.#notBefore - performance.now())
  }

  /** Throws `unavailable` until it may be tried again. */
  check(): void {
    const { wait } = this
    if (wait <= 0) return
    const message = 'The tool failed just now and is started again in a moment.'
    throw new ToolgateError('unavailable', message, { retryAfter: Math.ceil(wait / 1000) })
  }

  /** The first failure is forgiven at once, the next ones wait longer and longer. */
  failed(): void {
    const delay = this.#failures === 0 ? 0 : Math.min(DELAY * 2 ** this.#failures, LONGEST)
    this.#failures += 1
    this.#notBefore = performance.now() + delay
  }

  /** A process has ended that had lived for so many milliseconds. */
  lived(milliseconds: number): void {
    if (milliseconds > STABLE) this.#failures = 0
  }
}

const DELAY = 250
const LONGEST = 30_000
/** A process that lived so long is no longer counted as crashing. */
const STABLE = 10_000
