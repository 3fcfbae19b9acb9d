import type { Logger } from '../../telemetry/log.ts'
import { EVENTS } from '../../telemetry/names.ts'
import type { Refusal } from './refusal.ts'

/**
 * Says in the log what one tool was refused: name, port and why, never what it asked of them. Of a
 * tool that hammers, the first `MOST` of each second; the next line says how many were left out.
 */
export class Told {
  readonly #log: Logger
  #second = 0
  #lines = 0
  #untold = 0

  constructor(log: Logger) {
    this.#log = log
  }

  refused({ reason, destination, cause }: Refusal): void {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) this.#lines = 0
    this.#second = second
    if (this.#lines >= MOST) {
      this.#untold += 1
      return
    }
    this.#lines += 1
    const untold = this.#untold === 0 ? {} : { untold: this.#untold }
    this.#untold = 0
    const code = (cause as NodeJS.ErrnoException | undefined)?.code
    const error = code === undefined ? {} : { code }
    this.#log.warn({ ...destination, why: reason, ...error, ...untold }, EVENTS.egressRefused)
  }
}

/** Lines a second. */
const MOST = 10
