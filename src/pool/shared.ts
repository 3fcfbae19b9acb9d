import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection, SharedConnection } from '../outbound/connection.ts'
import type { Subscriptions } from '../outbound/subscriptions.ts'
import type { Backoff } from './backoff.ts'
import { type Ground, type How, type Instance, type StartRequest, startShared } from './instance.ts'
import type { Lease, Leased } from './lease.ts'

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
  /** Starts within the tool's cap on processes. */
  counted<T>(start: () => Promise<T>): Promise<T>
  /** Called when nothing runs and nobody is left; a new one may take its place then. */
  unused(): void
  /** Called with each process that was started, for counting. */
  started(instance: SharedInstance): void
}

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

  /** What it says next may be about a call that nobody waits for any more. */
  get owes(): boolean {
    return [this.#current, this.#doubted].some((each) => each?.connection.owes === true)
  }

  lease(link: Link): Lease {
    this.#links.add(link)
    let released = false
    return {
      connection: () => this.#connection(link),
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

  async close(reason: string): Promise<void> {
    clearTimeout(this.#idle)
    this.#abort.abort()
    await this.#starting?.catch(() => {})
    await Promise.all([this.#current, this.#doubted].map((each) => each?.process.close(reason)))
  }

  #connection(link: Link): Connection | Promise<Connection> {
    const current = this.#current
    if (current !== undefined && !current.process.ending) return attached(current, link)
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return this.#starting.then((instance) => {
      if (this.#links.has(link)) return attached(instance, link)
      throw new ToolgateError('tool_gone', 'The session ended while its tool was starting.')
    })
  }

  async #start(): Promise<SharedInstance> {
    this.#options.backoff.check()
    const instance = await this.#options.counted(() => this.#started())
    if (this.#abort.signal.aborted) {
      await instance.process.close('its start was given up')
      throw new ToolgateError('tool_gone', 'The start of the tool was given up.')
    }
    this.#watch(instance)
    this.#current = instance
    this.#options.started(instance)
    // What was subscribed to before a restart still is, as far as the clients know.
    instance.connection.resubscribe()
    this.#endIfUnused()
    return instance
  }

  /** A start that was refused for want of a place is no failure of the tool's. */
  async #started(): Promise<SharedInstance> {
    const { backoff, subscriptions, how } = this.#options
    const request = { ...this.#options, signal: this.#abort.signal }
    try {
      return await startShared(this.#ground, request, subscriptions, how)
    } catch (error) {
      backoff.failed()
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
    const { single, subscriptions } = this.#options
    return this.#calls > 0 || (!single && subscriptions.any)
  }

  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#retired || this.#current === undefined) return
    this.#idle = setTimeout(() => {
      if (this.#inUse) return
      const current = this.#current
      this.#current = undefined
      void current?.process.close('idle')
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
    if (this.#options.single) void this.#take(connection)?.process.close(reason)
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

  #endIfUnused(): void {
    if (this.#links.size > 0) return
    if (this.#retired) {
      if (this.#starting !== undefined) this.#abort.abort()
      for (const each of [this.#current, this.#doubted]) {
        void each?.process.close('nobody uses it any more')
      }
    }
    const running = this.#current ?? this.#doubted ?? this.#starting
    if (running === undefined) this.#options.unused()
  }
}

function attached(instance: SharedInstance, link: Link): Connection {
  instance.connection.attach(link)
  return instance.connection
}
