import { ToolgateError } from '../errors.ts'
import { type Priority, Queue, type Waiter } from './queue.ts'

/** The most processes there may be, and who may wait for one. */
export interface CapsOptions {
  /** Of one tool (`sessions.perTool`), and of all (`pool.instances`). */
  readonly perTool: number
  readonly instances: number
  /** Most that wait for one tool, and how many milliseconds. */
  readonly queue: number
  readonly wait: number
  /** Processes that run, of one tool or of all. */
  running(tool?: string): number
  /** Ends a process that may make room for this one; false: there is none. */
  makeRoom(claim: Claim, full: Full): boolean
}

/** Which cap is reached. */
export type Full = 'tool' | 'all'

/** A process that somebody wants to be started. */
export interface Claim extends Waiter {
  readonly tool: string
  readonly priority: Priority
  /** Who waits is known by it to `leave`. */
  readonly of: object
  /** Serves it without a process of its own; false: it cannot. Called while it waits. */
  instead?(): boolean
}

/** Whose turn it is goes by tool and caller. */
interface Waiting extends Waiter {
  readonly claim: Claim
  readonly grant: () => void
  readonly fail: (error: Error) => void
}

/** Starts processes within the caps; where these are reached the next ones wait for their turn. */
export class Caps {
  readonly #options: CapsOptions
  readonly #starting = new Map<string, number>()
  readonly #queue = new Queue<Waiting>()
  /** How many of them wait for each tool. */
  readonly #waiting = new Map<string, number>()
  #startingAll = 0
  #looking = false

  constructor(options: CapsOptions) {
    this.#options = options
  }

  /** How many wait for each tool. */
  waiting(): [tool: string, waiting: number][] {
    return [...this.#waiting]
  }

  isWaitedFor(tool: string): boolean {
    return this.#waiting.has(tool)
  }

  /** There is room for one more, and nobody waits for it. */
  hasRoom(tool: string): boolean {
    return this.#queue.size === 0 && this.#full(tool) === undefined
  }

  /**
   * Starts once there is room; `start` resolves when its process is counted as one that runs.
   * Rejects with `queue_full`, and with `unavailable` when it waited too long or was served instead.
   */
  async within<T>(claim: Claim, start: () => Promise<T>): Promise<T> {
    const { tool } = claim
    if (!this.#mayPass(tool) || !this.#room(claim)) await this.#wait(claim)
    else this.#count(tool, 1)
    try {
      return await start()
    } finally {
      this.#count(tool, -1)
      this.look()
    }
  }

  /** Whoever waits for it has left. */
  leave(of: object): void {
    if (this.#queue.size === 0) return
    for (const waiting of this.#queue.inTurn()) {
      if (waiting.claim.of === of) this.#drop(waiting, gone())
    }
  }

  /** A process ended, or serves nothing now: somebody may have their turn. */
  look(): void {
    if (this.#queue.size === 0 || this.#looking) return
    this.#looking = true
    // Whatever happens in this turn of the event loop has happened then.
    setImmediate(() => {
      this.#looking = false
      this.#serve()
    })
  }

  /** Nobody gets a turn any more. */
  close(error: Error): void {
    for (const waiting of this.#queue.inTurn()) this.#drop(waiting, error)
  }

  async #wait(claim: Claim): Promise<void> {
    const { queue: most, wait } = this.#options
    const { tool, caller, priority } = claim
    const full = this.#full(tool) ?? 'tool'
    if (most === 0) throw new ToolgateError('unavailable', this.#what(full), { retryAfter: 5 })
    const ahead = this.#waiting.get(tool) ?? 0
    if (ahead >= most) throw this.#tooMany(full, ahead)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const own = { caller: `${tool} ${caller}`, priority }
    const waiting: Waiting = { ...own, claim, grant: resolve, fail: reject }
    this.#waiting.set(tool, ahead + 1)
    this.#queue.add(waiting)
    const timer = setTimeout(() => {
      const message = `${this.#what(full)} None became free in ${wait} ms (pool.wait).`
      this.#drop(waiting, new ToolgateError('unavailable', message, { retryAfter: 5 }))
    }, wait)
    this.look()
    try {
      await promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** Where there is no room for one there may be for another, of another tool or caller. */
  #serve(): void {
    const stuck = new Set<string>()
    for (const waiting of this.#queue.inTurn()) {
      const { claim, caller } = waiting
      if (claim.instead?.() === true) {
        if (this.#queue.serve(waiting)) this.#left(claim.tool)
        waiting.fail(gone())
      } else if (!stuck.has(caller) && this.#room(claim)) {
        if (!this.#queue.serve(waiting)) continue
        this.#left(claim.tool)
        this.#count(claim.tool, 1)
        waiting.grant()
      } else stuck.add(caller)
    }
  }

  /** Who comes does not overtake those who wait for the same. */
  #mayPass(tool: string): boolean {
    if (this.#queue.size === 0) return true
    const { instances, running } = this.#options
    const left = instances - running() - this.#startingAll
    return !this.#waiting.has(tool) && left > this.#queue.size
  }

  #room(claim: Claim): boolean {
    for (let tries = 0; tries < 2; tries += 1) {
      const full = this.#full(claim.tool)
      if (full === undefined) return true
      if (!this.#options.makeRoom(claim, full)) return false
    }
    return this.#full(claim.tool) === undefined
  }

  #full(tool: string): Full | undefined {
    const { perTool, instances, running } = this.#options
    if (running(tool) + (this.#starting.get(tool) ?? 0) >= perTool) return 'tool'
    return running() + this.#startingAll >= instances ? 'all' : undefined
  }

  #count(tool: string, more: number): void {
    const starting = (this.#starting.get(tool) ?? 0) + more
    if (starting > 0) this.#starting.set(tool, starting)
    else this.#starting.delete(tool)
    this.#startingAll += more
  }

  #drop(waiting: Waiting, error: Error): void {
    if (!this.#queue.leave(waiting)) return
    this.#left(waiting.claim.tool)
    waiting.fail(error)
  }

  #left(tool: string): void {
    const waiting = (this.#waiting.get(tool) ?? 1) - 1
    if (waiting > 0) this.#waiting.set(tool, waiting)
    else this.#waiting.delete(tool)
  }

  #what(full: Full): string {
    const { perTool, instances } = this.#options
    if (full === 'all') return `All tools together have ${instances} processes (pool.instances).`
    return `The tool has ${perTool} processes, the most it may have (sessions.perTool).`
  }

  #tooMany(full: Full, waiting: number): ToolgateError {
    const message = `${this.#what(full)} ${waiting} wait for one already (pool.queue).`
    return new ToolgateError('queue_full', message, { retryAfter: 5 })
  }
}

function gone(): ToolgateError {
  return new ToolgateError('tool_gone', 'Nobody waits for the tool any more.')
}
