import { Backoff } from './backoff.ts'
import { Expected } from './expected.ts'
import type { Refillable } from './refill.ts'
import type { Started } from './starting.ts'

export interface SparesOptions {
  /** How many are kept. */
  readonly wanted: number
  /** They are told what the last clients said at initialize. */
  readonly initialized: boolean
  /** Starts one, in the background, and tells it `hello`. */
  start(hello: string | undefined): Promise<Started>
  /** The caps leave room for one more. */
  hasRoom(): boolean
  /** One is lacking now. */
  lacking(): void
}

/**
 * Processes of one version of a tool, started for whoever comes next: told nothing, or what only
 * the next one that would say the same can use.
 */
export class Spares implements Refillable {
  readonly #options: SparesOptions
  readonly #backoff = new Backoff()
  /** The oldest first: it has had most time to get ready. */
  readonly #ready: Started[] = []
  readonly #expected: Expected | undefined
  #retired = false

  constructor(options: SparesOptions) {
    this.#options = options
    if (options.initialized) this.#expected = new Expected(options.wanted)
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
    const hello = this.#expected?.scarcest(this.#hellos)
    try {
      const spare = await this.#options.start(hello)
      if (this.#retired) void spare.process.close(RETIRED)
      else this.#keep(spare)
    } catch {
      // The log says why; whoever comes next starts one and is told.
      this.#failed(hello)
    }
  }

  /**
   * One that lives and was told `hello`, else one that was told nothing; it is the caller's from
   * now on. Undefined: there is none.
   */
  async take(hello?: string): Promise<Started | undefined> {
    const expected = this.#expected?.note(hello)
    for (let spare = this.#next(hello); spare !== undefined; spare = this.#next(hello)) {
      // Its end may have been seen by the kernel and not by us: one whole turn brings it in.
      await turn()
      await turn()
      if (!spare.process.ending) return spare
    }
    if (expected) this.#makeWay()
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

  get #hellos(): (string | undefined)[] {
    return this.#ready.map(({ greeted }) => greeted?.hello)
  }

  #next(hello: string | undefined): Started | undefined {
    const same = this.#hellos.indexOf(hello)
    const at = same >= 0 ? same : this.#hellos.indexOf(undefined)
    return at < 0 ? undefined : this.#ready.splice(at, 1)[0]
  }

  /** All were told something else: one of them is replaced by one for whoever just found none. */
  #makeWay(): void {
    if (this.#ready.length < this.#options.wanted) return
    const at = this.#expected?.dispensable(this.#hellos) ?? -1
    if (at < 0) return
    const [spare] = this.#ready.splice(at, 1)
    void spare?.process.close('it was initialized for another client')
  }

  /** Where only what it was told is at fault, the next one is told something else. */
  #failed(hello: string | undefined): void {
    if (hello === undefined) this.#backoff.failed()
    else this.#expected?.forget(hello)
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
      if (unexpected) this.#failed(spare.greeted?.hello)
      this.#options.lacking()
    })
  }
}

const RETIRED = 'its version is served no longer'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
