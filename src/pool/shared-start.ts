import { ToolgateError } from '../errors.ts'
import type { Subscriptions } from '../outbound/subscriptions.ts'
import type { Backoff } from './backoff.ts'
import { type How, type SharedInstance, startShared } from './instance.ts'
import type { Priority } from './queue.ts'
import type { Ground, Started, StartRequest } from './starting.ts'

export interface SharedStartOptions extends StartRequest {
  readonly how: How
  /** Outlive each process, and may be those of others too. */
  readonly subscriptions: Subscriptions
  /** Of all that fail for the same reason. */
  readonly backoff: Backoff
  /** Starts within the caps, or makes a spare ready. The signal ends the waiting for a place. */
  placed(want: Wanted, start: Starting): Promise<SharedInstance>
}

/** Who wants a process, as long as they do. */
export interface Wanted {
  readonly of: object
  readonly priority: Priority
  readonly signal: AbortSignal
  instead?(): boolean
}

export type Starting = (spare: Started | undefined) => Promise<SharedInstance>

/** What a start is for. */
export interface Startable {
  /** Its process is ready. */
  started(instance: SharedInstance): void
  /** It is over, however it ended. */
  over(): void
  /** Serves without it who waits for it; false: nothing can. */
  instead?(): boolean
}

/** One start at a time of a process that many links share: it waits for a place, then begins. */
export class SharedStart {
  readonly #ground: Ground
  readonly #options: SharedStartOptions
  readonly #startable: Startable
  readonly #abort = new AbortController()
  #underWay: Promise<SharedInstance> | undefined
  /** Ends the waiting for a place once nobody wants it. */
  #waiting: AbortController | undefined

  constructor(ground: Ground, options: SharedStartOptions, startable: Startable) {
    this.#ground = ground
    this.#options = options
    this.#startable = startable
  }

  get underWay(): Promise<SharedInstance> | undefined {
    return this.#underWay
  }

  /** It is to begin, once there is a place for it. */
  get waiting(): boolean {
    return this.#waiting !== undefined
  }

  /** The one that is under way, or a new one. Rejects with why the process could not be started. */
  begin(priority: Priority): Promise<SharedInstance> {
    if (this.#underWay !== undefined) return this.#underWay
    const starting = this.#start(priority).finally(() => {
      if (this.#underWay === starting) {
        this.#underWay = undefined
        this.#waiting = undefined
      }
      this.#startable.over()
    })
    this.#underWay = starting
    return starting
  }

  /** Nobody wants the process for which a place is waited for; who comes next waits anew. */
  stopWaiting(): void {
    if (this.#waiting === undefined) return
    this.#underWay = undefined
    this.#waiting.abort()
    this.#waiting = undefined
  }

  /** Ends what is being started, for good. */
  giveUp(): void {
    this.#abort.abort()
  }

  async #start(priority: Priority): Promise<SharedInstance> {
    const { backoff, placed } = this.#options
    backoff.check()
    const waiting = new AbortController()
    this.#waiting = waiting
    const { instead } = this.#startable
    const want: Wanted = { of: this, priority, signal: waiting.signal, ...(instead && { instead }) }
    const instance = await placed(want, (spare) => this.#placed(want, spare))
    if (this.#abort.signal.aborted) {
      await instance.process.close('its start was given up')
      throw new ToolgateError('tool_gone', 'The start of the tool was given up.')
    }
    this.#startable.started(instance)
    return instance
  }

  /** A start that was refused for want of a place is no failure of the tool's. */
  async #placed(want: Wanted, spare: Started | undefined): Promise<SharedInstance> {
    const { backoff, subscriptions, how } = this.#options
    if (want.signal.aborted) throw new ToolgateError('tool_gone', 'Nobody waits for it any more.')
    this.#waiting = undefined
    const { signal } = this.#abort
    const { priority } = want
    const request = { ...this.#options, signal, priority, ...(spare !== undefined && { spare }) }
    try {
      return await startShared(this.#ground, request, subscriptions, how)
    } catch (error) {
      // What this machine cannot isolate is refused anew, with its reason: nothing was started.
      if (!(error instanceof ToolgateError && error.code === 'no_cell')) backoff.failed()
      throw error
    }
  }
}
