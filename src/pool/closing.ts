import { ToolgateError } from '../errors.ts'

/** The end of the pool, which the gateway's shutdown brings: nothing is started from then on. */
export class Closing {
  readonly #abort = new AbortController()
  #reason: string | undefined

  /** Why it ends; undefined: it does not. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Gives up what is being started. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  begin(reason: string): void {
    this.#reason = reason
    this.#abort.abort()
  }

  /** Throws `shutting_down` once it has begun. */
  check(): void {
    if (this.#reason !== undefined) throw shuttingDown()
  }
}

export function shuttingDown(): ToolgateError {
  return new ToolgateError('shutting_down', 'The gateway is shutting down.')
}
