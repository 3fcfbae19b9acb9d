import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection } from '../outbound/connection.ts'
import type { SharedInstance } from './instance.ts'
import type { Lease, Leased } from './lease.ts'
import type { Priority } from './queue.ts'
import { Serving } from './serving.ts'
import { SharedStart, type SharedStartOptions } from './shared-start.ts'
import type { Ground } from './starting.ts'

export interface SharedOptions extends SharedStartOptions {
  /** Serves one call at a time, or one request alone: who abandons that ends the process. */
  readonly single: boolean
  /** Milliseconds without a call after which the process is stopped. */
  readonly idle: number
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

/**
 * One process that many links share: started on first use, stopped when idle, restarted after a
 * crash with backoff, replaced when it hangs.
 */
export class Shared implements Leased {
  readonly #options: SharedOptions
  readonly #links = new Set<Link>()
  readonly #start: SharedStart
  readonly #serving: Serving
  #calls = 0
  #idle: NodeJS.Timeout | undefined
  #retired = false

  constructor(ground: Ground, options: SharedOptions) {
    const { among, tool } = options
    this.#options = options
    this.#serving = new Serving(tool.timeout ?? ground.config.timeouts.call)
    this.#start = new SharedStart(ground, options, {
      started: (instance) => this.#serve(instance),
      over: () => this.#endIfUnused(),
      ...(among !== undefined && { instead: () => among.instead(this) }),
    })
  }

  /** It runs, or soon will. */
  get ready(): boolean {
    return this.#start.underWay !== undefined || this.running
  }

  get size(): number {
    return this.ready ? 1 : 0
  }

  /** It is to be started, once there is a place for it. */
  get waiting(): boolean {
    return this.#start.waiting
  }

  /** It runs. */
  get running(): boolean {
    return this.#serving.current?.process.ending === false
  }

  /** What it says next may be about a call that nobody waits for any more. */
  get owes(): boolean {
    return this.#serving.both.some((each) => each?.connection.owes === true)
  }

  lease(link: Link, priority: Priority = 'interactive'): Lease {
    this.#links.add(link)
    if (this.#options.among !== undefined && link.kind === 'session') {
      this.#serving.current?.connection.attach(link)
    }
    let released = false
    return {
      connection: () => this.#connection(link, priority),
      current: () => this.#serving.any?.connection,
      begin: () => this.#begin(),
      end: () => this.#end(),
      doubt: (connection) => this.#serving.doubt(connection),
      trust: (connection) => this.#trust(connection),
      condemn: (connection, reason) => this.#serving.condemn(connection, reason),
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
    const current = this.#serving.current
    if (current === undefined || current.process.ending || this.#inUse) return false
    this.#serving.current = undefined
    void current.process.close('its place was needed')
    return true
  }

  /** Starts it though nobody calls, in the background. Rejects with why it could not be. */
  async wake(): Promise<void> {
    if (!this.ready) await this.#start.begin('background')
  }

  async close(reason: string): Promise<void> {
    clearTimeout(this.#idle)
    this.#start.giveUp()
    await this.#start.underWay?.catch(() => {})
    await Promise.all(this.#serving.both.map((each) => each?.process.close(reason)))
  }

  #connection(link: Link, priority: Priority): Connection | Promise<Connection> {
    const current = this.#serving.current
    if (current !== undefined && !current.process.ending) return attached(current, link)
    return this.#start.begin(priority).then((instance) => {
      if (this.#links.has(link)) return attached(instance, link)
      throw new ToolgateError('tool_gone', 'The session ended while its tool was starting.')
    })
  }

  #serve(instance: SharedInstance): void {
    this.#watch(instance)
    this.#serving.current = instance
    if (this.#options.among !== undefined) {
      for (const link of this.#links) if (link.kind === 'session') attached(instance, link)
    }
    // What was subscribed to before a restart still is, as far as the clients know.
    instance.connection.resubscribe()
    if (this.#calls === 0) this.#rest()
  }

  #watch(instance: SharedInstance): void {
    const since = performance.now()
    void instance.process.closed.then(({ unexpected }) => {
      this.#serving.ended(instance)
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
    if (this.#retired || this.#serving.current === undefined) return
    this.#idle = setTimeout(() => {
      if (this.#inUse) return
      const current = this.#serving.current
      this.#serving.current = undefined
      void current?.process.close('idle')
      this.#options.freed()
    }, this.#options.idle)
    this.#idle.unref()
  }

  #trust(connection: Connection): void {
    const serves = this.#serving.trust(connection, this.#start.underWay !== undefined)
    if (serves && this.#calls === 0) this.#rest()
  }

  /** It waits as it should, and may have something to put away. */
  #abandon(connection: Connection, reason: string): void {
    if (!this.#options.single) return
    void this.#serving.take(connection)?.process.close(reason)
    this.#options.freed()
  }

  #leave(link: Link, reason: string): void {
    this.#links.delete(link)
    for (const each of this.#serving.both) each?.connection.detach(link, reason)
    this.#options.subscriptions.leave(link)
    this.#endIfUnused()
    if (this.#calls === 0) this.#rest()
  }

  #endIfUnused(): void {
    if (this.#links.size > 0) return
    if (this.#calls === 0) this.#start.stopWaiting()
    if (this.#retired) {
      if (this.#start.underWay !== undefined) this.#start.giveUp()
      for (const each of this.#serving.both) {
        void each?.process.close('nobody uses it any more')
      }
      this.#options.freed()
    }
    const running = this.#serving.any ?? this.#start.underWay
    if (running === undefined) this.#options.unused()
  }
}

function attached(instance: SharedInstance, link: Link): Connection {
  instance.connection.attach(link)
  return instance.connection
}
