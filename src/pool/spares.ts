import { Backoff } from './backoff.ts'
import type { Refillable } from './refill.ts'
import type { Started } from './starting.ts'

export interface SparesOptions {
  /** How many are kept. */
  readonly wanted: number
  /** Starts one, in the background. */
  start(): Promise<Started>
  /** The caps leave room for one more. */
  hasRoom(): boolean
  /** One is lacking now. */
  lacking(): void
}

/** Processes of one version of a tool, started for whoever comes next and told nothing. */
export class Spares implements Refillable {
  readonly #options: SparesOptions
  readonly #backoff = new Backoff()
  /** The oldest first: it has had most time to get ready. */
  readonly #ready: Started[] = []
  #retired = false

  constructor(options: SparesOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#ready.length
  }

  get lacks(): number | undefined {
    const { wanted, hasRoom } = this.#options
    if (this.#retired || this.#ready.length >= wanted || !hasRoom()) return undefined
    return this.#backoff.wait
  }

  async add(): Promise<void> {
    try {
      const spare = await this.#options.start()
      if (this.#retired) void spare.process.close(RETIRED)
      else this.#keep(spare)
    } catch {
      // The log says why; whoever comes next starts one and is told.
      this.#backoff.failed()
    }
  }

  /** One that lives, which is the caller's from now on; undefined: there is none. */
  async take(): Promise<Started | undefined> {
    for (let spare = this.#ready.shift(); spare !== undefined; spare = this.#ready.shift()) {
      // Its end may have been seen by the kernel and not by us: one whole turn brings it in.
      await turn()
      await turn()
      if (!spare.process.ending) return spare
    }
    return undefined
  }

  /** Ends the youngest, for somebody who needs its place; false: there is none. */
  giveWay(): boolean {
    const spare = this.#ready.pop()
    void spare?.process.close('its place was needed')
    return spare !== undefined
  }

  retire(): void {
    this.#retired = true
    for (const spare of this.#ready.splice(0)) void spare.process.close(RETIRED)
  }

  #keep(spare: Started): void {
    const since = performance.now()
    this.#ready.push(spare)
    void spare.process.closed.then(({ unexpected }) => {
      const at = this.#ready.indexOf(spare)
      // What was handed out is somebody else's to look after.
      if (at < 0) return
      this.#ready.splice(at, 1)
      this.#backoff.lived(performance.now() - since)
      if (unexpected) this.#backoff.failed()
      this.#options.lacking()
    })
  }
}

const RETIRED = 'its version is served no longer'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
