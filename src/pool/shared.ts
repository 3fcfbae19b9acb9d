import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection, SharedConnection } from '../outbound/connection.ts'
import type { Subscriptions } from '../outbound/subscriptions.ts'
import type { Backoff } from './backoff.ts'
import {
  type Ground,
  type How,
  type Instance,
  type Started,
  type StartRequest,
  startShared,
} from './instance.ts'
import type { Lease, Leased } from './lease.ts'
import type { Priority } from './queue.ts'

type SharedInstance = Instance<SharedConnection>

export interface SharedOptions extends StartRequest {
  readonly how: How
  /** Outlive each process, and may be those of others too. */
  readonly subscriptions: Subscriptions
  /** Of all that fail for the same reason. */
  readonly backoff: Backoff
  /** Serves one call at a time, or one request alone: who abandons that ends the process. */
  readonly single: boolean
  /** Milliseconds without a call after which the process is stopped. */
  readonly idle: number
  /** Starts within the caps, or makes a spare ready. The signal ends the waiting for a place. */
  placed(want: Wanted, start: Starting): Promise<SharedInstance>
  /** Called when nothing runs and nobody is left; a new one may take its place then. */
  unused(): void
  /** Called when its process serves nothing now, or has been told to end. */
  freed(): void
  /** One of several for the same clients; absent: it is the only one. */
  readonly among?: Among
}

/** What the others of a pool have to do with one of its processes. */
export interface Among {
  /** It runs on though nobody calls: the pool is to have so many, or somebody listens. */
  stays(slot: Shared): boolean
  /** Serves who waits for this one's start by another that is free; false: there is none. */
  instead(slot: Shared): boolean
  /** Its process has ended. */
  ended(): void
}

/** Who wants a process, as long as they do. */
export interface Wanted {
  readonly of: object
  readonly priority: Priority
  readonly signal: AbortSignal
  instead?(): boolean
}

export type Starting = (spare: Started | undefined) => Promise<SharedInstance>

/**
 * One process that many links share: started on first use, stopped when idle, restarted after a
 * crash with backoff, replaced when it hangs.
 */
export class Shared implements Leased {
  readonly #ground: Ground
  readonly #options: SharedOptions
  readonly #links = new Set<Link>()
  readonly #abort = new AbortController()
  #current: SharedInstance | undefined
  /** It may hang. */
  #doubted: SharedInstance | undefined
  #starting: Promise<SharedInstance> | undefined
  /** Ends the waiting for a place once nobody wants it. */
  #waiting: AbortController | undefined
  #calls = 0
  #idle: NodeJS.Timeout | undefined
  #retired = false

  constructor(ground: Ground, options: SharedOptions) {
    this.#ground = ground
    this.#options = options
  }

  /** It runs, or soon will. */
  get ready(): boolean {
    return this.#starting !== undefined || this.#current?.process.ending === false
  }

  get size(): number {
    return this.ready ? 1 : 0
  }

  /** It is to be started, once there is a place for it. */
  get waiting(): boolean {
    return this.#waiting !== undefined
  }

  /** It runs. */
  get running(): boolean {
    return this.#current?.process.ending === false
  }

  /** What it says next may be about a call that nobody waits for any more. */
  get owes(): boolean {
    return [this.#current, this.#doubted].some((each) => each?.connection.owes === true)
  }

  lease(link: Link, priority: Priority = 'interactive'): Lease {
    this.#links.add(link)
    if (this.#options.among !== undefined && link.kind === 'session') {
      this.#current?.connection.attach(link)
    }
    let released = false
    return {
      connection: () => this.#connection(link, priority),
      current: () => (this.#current ?? this.#doubted)?.connection,
      begin: () => this.#begin(),
      end: () => this.#end(),
      doubt: (connection) => this.#doubt(connection),
      trust: (connection) => this.#trust(connection),
      condemn: (connection, reason) => this.#condemn(connection, reason),
      abandon: (connection, reason) => this.#abandon(connection, reason),
      release: (reason) => {
        if (released) return
        released = true
        this.#leave(link, reason)
      },
    }
  }

  /** No more leases are to be taken; it ends when the last one is given back. */
  retire(): void {
    this.#retired = true
    clearTimeout(this.#idle)
    this.#endIfUnused()
  }

  giveWay(): boolean {
    const current = this.#current
    if (current === undefined || current.process.ending || this.#inUse) return false
    this.#current = undefined
    void current.process.close('its place was needed')
    return true
  }

  /** Starts it though nobody calls, in the background. Rejects with why it could not be. */
  async wake(): Promise<void> {
    if (!this.ready) await this.#begun('background')
  }

  async close(reason: string): Promise<void> {
    clearTimeout(this.#idle)
    this.#abort.abort()
    await this.#starting?.catch(() => {})
    await Promise.all([this.#current, this.#doubted].map((each) => each?.process.close(reason)))
  }

  #connection(link: Link, priority: Priority): Connection | Promise<Connection> {
    const current = this.#current
    if (current !== undefined && !current.process.ending) return attached(current, link)
    return this.#begun(priority).then((instance) => {
      if (this.#links.has(link)) return attached(instance, link)
      throw new ToolgateError('tool_gone', 'The session ended while its tool was starting.')
    })
  }

  #begun(priority: Priority): Promise<SharedInstance> {
    if (this.#starting !== undefined) return this.#starting
    const starting = this.#start(priority).finally(() => {
      if (this.#starting === starting) {
        this.#starting = undefined
        this.#waiting = undefined
      }
      this.#endIfUnused()
    })
    this.#starting = starting
    return starting
  }

  async #start(priority: Priority): Promise<SharedInstance> {
    const { backoff, placed, among } = this.#options
    backoff.check()
    const waiting = new AbortController()
    this.#waiting = waiting
    const want: Wanted = {
      of: this,
      priority,
      signal: waiting.signal,
      ...(among !== undefined && { instead: () => among.instead(this) }),
    }
    const instance = await placed(want, (spare) => this.#started(want, spare))
    if (this.#abort.signal.aborted) {
      await instance.process.close('its start was given up')
      throw new ToolgateError('tool_gone', 'The start of the tool was given up.')
    }
    this.#watch(instance)
    this.#current = instance
    if (among !== undefined) {
      for (const link of this.#links) if (link.kind === 'session') attached(instance, link)
    }
    // What was subscribed to before a restart still is, as far as the clients know.
    instance.connection.resubscribe()
    if (this.#calls === 0) this.#rest()
    return instance
  }

  /** A start that was refused for want of a place is no failure of the tool's. */
  async #started(want: Wanted, spare: Started | undefined): Promise<SharedInstance> {
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

  #watch(instance: SharedInstance): void {
    const since = performance.now()
    void instance.process.closed.then(({ unexpected }) => {
      if (this.#current === instance) this.#current = undefined
      if (this.#doubted === instance) this.#doubted = undefined
      this.#options.backoff.lived(performance.now() - since)
      if (unexpected) this.#options.backoff.failed()
      this.#endIfUnused()
      this.#options.among?.ended()
    })
  }

  #begin(): void {
    this.#calls += 1
    clearTimeout(this.#idle)
  }

  #end(): void {
    this.#calls -= 1
    if (this.#calls === 0) this.#rest()
    this.#endIfUnused()
  }

  /** A subscriber waits for updates, so the process is in use though nobody calls. */
  get #inUse(): boolean {
    const { single, subscriptions, among } = this.#options
    if (this.#calls > 0) return true
    return among === undefined ? !single && subscriptions.any : !single && among.stays(this)
  }

  #rest(): void {
    clearTimeout(this.#idle)
    this.#options.freed()
    if (this.#retired || this.#current === undefined) return
    this.#idle = setTimeout(() => {
      if (this.#inUse) return
      const current = this.#current
      this.#current = undefined
      void current?.process.close('idle')
      this.#options.freed()
    }, this.#options.idle)
    this.#idle.unref()
  }

  #doubt(connection: Connection): void {
    if (this.#current?.connection !== connection || this.#doubted !== undefined) return
    this.#doubted = this.#current
    this.#current = undefined
  }

  #trust(connection: Connection): void {
    const instance = this.#doubted
    if (instance === undefined || instance.connection !== connection) return
    this.#doubted = undefined
    if (this.#current === undefined && this.#starting === undefined) {
      this.#current = instance
      if (this.#calls === 0) this.#rest()
    } else void this.#drained(instance).then(() => instance.process.close('it was replaced'))
  }

  #condemn(connection: Connection, reason: string): void {
    const found = this.#take(connection)
    if (found !== undefined) void this.#drained(found).then(() => found.process.kill(reason))
  }

  /** It waits as it should, and may have something to put away. */
  #abandon(connection: Connection, reason: string): void {
    if (!this.#options.single) return
    void this.#take(connection)?.process.close(reason)
    this.#options.freed()
  }

  #take(connection: Connection): SharedInstance | undefined {
    const found = [this.#current, this.#doubted].find((each) => each?.connection === connection)
    if (this.#current === found) this.#current = undefined
    if (this.#doubted === found) this.#doubted = undefined
    return found
  }

  /** Its other calls are given their time before it is ended. */
  #drained({ connection }: SharedInstance): Promise<void> {
    return connection.drained(this.#options.tool.timeout ?? this.#ground.config.timeouts.call)
  }

  #leave(link: Link, reason: string): void {
    this.#links.delete(link)
    for (const each of [this.#current, this.#doubted]) each?.connection.detach(link, reason)
    this.#options.subscriptions.leave(link)
    this.#endIfUnused()
    if (this.#calls === 0) this.#rest()
  }

  /** Nobody wants the process for which a place is waited for; who comes next waits anew. */
  #stopWaiting(): void {
    if (this.#waiting === undefined) return
    this.#starting = undefined
    this.#waiting.abort()
    this.#waiting = undefined
  }

  #endIfUnused(): void {
    if (this.#links.size > 0) return
    if (this.#calls === 0) this.#stopWaiting()
    if (this.#retired) {
      if (this.#starting !== undefined) this.#abort.abort()
      for (const each of [this.#current, this.#doubted]) {
        void each?.process.close('nobody uses it any more')
      }
      this.#options.freed()
    }
    const running = this.#current ?? this.#doubted ?? this.#starting
    if (running === undefined) this.#options.unused()
  }
}

function attached(instance: SharedInstance, link: Link): Connection {
  instance.connection.attach(link)
  return instance.connection
}
