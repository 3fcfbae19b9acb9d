/** Something that is kept ready, and may lack one now. */
export interface Refillable {
  /** Milliseconds until one is to be started; undefined: none is lacking. */
  readonly lacks: number | undefined
  /** Starts one. Never rejects. */
  add(): Promise<void>
}

export interface RefillOptions {
  /** Starts of others that are under way or wait. */
  starts(): number
}

/**
 * Refills spares one at a time and while nobody is being set up: a start takes a processor for
 * itself that a client waits for.
 */
export class Refill {
  readonly #options: RefillOptions
  /** What was refilled longest ago is first. */
  readonly #sets = new Set<Refillable>()
  /** Sessions that have not had their first answers, by when they came. */
  readonly #settingUp = new Map<object, number>()
  #touched = 0
  #timer: NodeJS.Timeout | undefined
  #adding = false
  #closed = false

  constructor(options: RefillOptions) {
    this.#options = options
  }

  keep(set: Refillable): void {
    this.#sets.add(set)
    this.look()
  }

  drop(set: Refillable): void {
    this.#sets.delete(set)
  }

  /** Somebody is being set up, until `settled` or `left`. */
  enter(session: object): void {
    this.#touched = performance.now()
    this.#settingUp.set(session, this.#touched)
  }

  settled(session: object): void {
    if (this.#settingUp.delete(session)) this.#touched = performance.now()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Something may be lacking, or may be started now. */
  look(): void {
    if (this.#closed || this.#adding || this.#sets.size === 0) return
    clearTimeout(this.#timer)
    const next = this.#next()
    if (next === undefined) return
    const wait = Math.max(next.wait, this.#untilQuiet(performance.now()))
    if (wait <= 0) void this.#add(next.set)
    else this.#timer = setTimeout(() => this.look(), Math.ceil(wait)).unref()
  }

  #next(): { readonly set: Refillable; readonly wait: number } | undefined {
    let next: { set: Refillable; wait: number } | undefined
    for (const set of this.#sets) {
      const { lacks: wait } = set
      if (wait !== undefined && (next === undefined || wait < next.wait)) next = { set, wait }
    }
    return next
  }

  /** Milliseconds; while somebody is set up, until it is time to look again. */
  #untilQuiet(now: number): number {
    for (const [session, since] of this.#settingUp) {
      if (now - since > SLOWEST) this.#settingUp.delete(session)
    }
    const busy = this.#settingUp.size + this.#options.starts() > 0
    return busy ? QUIET : this.#touched + QUIET - now
  }

  async #add(set: Refillable): Promise<void> {
    this.#adding = true
    this.#sets.delete(set)
    this.#sets.add(set)
    await set.add()
    this.#adding = false
    // It is busy with itself for a while, though it has been started.
    this.#touched = performance.now()
    this.look()
  }
}

/** Milliseconds after the last start or first answer. */
const QUIET = 250
/** Milliseconds after which who has not gone on is not being set up: a client may open, and wait. */
const SLOWEST = 5_000
