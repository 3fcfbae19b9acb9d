import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Looks at all that is watched; rests when its slice of the turn is over. True: something is near
 * its bound, and is looked at again soon.
 */
export type Look<T> = (watched: readonly T[], slice: Slice) => Promise<boolean>

/** One timer for all that is watched: each half second they are looked at, in slices of turns. */
export class Rounds<T> {
  readonly #watched = new Set<T>()
  readonly #look: Look<T>
  #timer: NodeJS.Timeout | undefined

  constructor(look: Look<T>) {
    this.#look = look
  }

  add(each: T): void {
    this.#watched.add(each)
    this.#timer ??= this.#after(EVERY)
  }

  delete(each: T): void {
    this.#watched.delete(each)
  }

  #after(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => void this.#round(), milliseconds).unref()
  }

  async #round(): Promise<void> {
    // What could not be looked at now is looked at in the next round.
    const near = await this.#look([...this.#watched], new Slice()).catch(() => false)
    this.#timer = this.#watched.size === 0 ? undefined : this.#after(near ? SOON : EVERY)
  }
}

/** The time that one turn of the event loop may take. */
export class Slice {
  #until = performance.now() + SLICE

  get over(): boolean {
    return performance.now() > this.#until
  }

  /** Lets others have their turn. */
  async rest(): Promise<void> {
    await nextTurn()
    this.#until = performance.now() + SLICE
  }
}

/** Milliseconds. */
const EVERY = 500
const SOON = 50
const SLICE = 1.5
