import type { Link } from '../../call/link.ts'
import type { Pipe } from '../../runtime/pipe.ts'

/** Makes a tool wait while the one client it serves reads too slowly. */
export class Hold {
  readonly #pipe: Pipe
  #looking = false
  #paused = false

  constructor(pipe: Pipe) {
    this.#pipe = pipe
  }

  /** The tool is not read now, so its silence says nothing. */
  get paused(): boolean {
    return this.#paused
  }

  /** Something was passed on: the answers of a turn are written before this looks. */
  look(link: Link): void {
    if (this.#looking) return
    this.#looking = true
    setImmediate(() => {
      this.#looking = false
      const pressure = link.pressure()
      if (pressure === undefined) return
      this.#looking = this.#paused = true
      this.#pipe.pause()
      void pressure.then(() => {
        this.#looking = this.#paused = false
        this.#pipe.resume()
      })
    })
  }
}
