import { ToolgateError } from '../errors.ts'
import { checkWanted, givenUp } from '../runtime/starting.ts'
import { type Priority, Queue, type Waiter } from './queue.ts'

export interface StartsOptions {
  /** Most starts at the same time. */
  readonly most: number
  /** Milliseconds after which one that waits is refused. */
  readonly wait: number
}

interface Start extends Waiter {
  begin(): void
}

/** Bounds how many processes are started at the same time, in the order of their turns. */
export class Starts {
  readonly #options: StartsOptions
  readonly #queue = new Queue<Start>()
  readonly #followed = new Set<Promise<unknown>>()
  #underWay = 0

  constructor(options: StartsOptions) {
    this.#options = options
  }

  /** Starts that have begun and are not over. */
  get underWay(): number {
    return this.#underWay
  }

  /** Starts that wait for their turn. */
  get waiting(): number {
    return this.#queue.size
  }

  /**
   * Resolves when it may begin, with what ends its turn. Rejects with `unavailable` when it waited
   * too long, with `tool_gone` when the signal is aborted.
   */
  async turn(priority: Priority, caller: string, signal?: AbortSignal): Promise<Turn> {
    checkWanted(signal)
    if (this.#queue.size > 0 || !this.#isFree(priority)) {
      await this.#wait(priority, caller, signal)
    } else this.#underWay += 1
    return new Turn(() => {
      this.#underWay -= 1
      this.#look()
    })
  }

  /** What a start does that has to be over before the gateway ends. */
  follow<T>(promise: Promise<T>): Promise<T> {
    const settled = promise.then(
      () => void this.#followed.delete(settled),
      () => void this.#followed.delete(settled),
    )
    this.#followed.add(settled)
    return promise
  }

  /** Resolves when nothing is followed. */
  async over(): Promise<void> {
    while (this.#followed.size > 0) await Promise.all(this.#followed)
  }

  async #wait(priority: Priority, caller: string, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const start: Start = { priority, caller, begin: resolve }
    this.#queue.add(start)
    const leave = (error: ToolgateError) => this.#queue.leave(start) && reject(error)
    const giveUp = () => leave(givenUp())
    const timer = setTimeout(() => leave(tooLong()), this.#options.wait)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      // Others may have been kept back by one that just left.
      this.#look()
      await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
  }

  #look(): void {
    if (this.#queue.size === 0) return
    for (const start of this.#queue.inTurn()) {
      if (!this.#isFree(start.priority)) continue
      this.#queue.serve(start)
      this.#underWay += 1
      start.begin()
    }
  }

  /** What nobody waits for leaves one place to those who come. */
  #isFree(priority: Priority): boolean {
    const { most } = this.#options
    return this.#underWay < (priority === 'background' ? Math.max(1, most - 1) : most)
  }
}

/** The right to start a process now. */
export class Turn {
  readonly #over: () => void
  readonly #timer: NodeJS.Timeout
  #ended = false

  constructor(over: () => void) {
    this.#over = over
    this.#timer = setTimeout(() => this.end(), SLOW).unref()
  }

  /** Safe to call again. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    this.#over()
  }
}

/**
 * Milliseconds after which a start is no longer counted: what takes so long waits for something
 * else than a processor, and a few tools that hang must not keep all others from starting.
 */
const SLOW = 3_000

function tooLong(): ToolgateError {
  const message = 'Too many processes are being started (pool.starts).'
  return new ToolgateError('unavailable', message, { retryAfter: 5 })
}
