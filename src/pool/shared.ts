import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection } from '../outbound/connection.ts'
import type { SharedLegacyConnection } from '../outbound/legacy-shared.ts'
import { Subscriptions } from '../outbound/subscriptions.ts'
import { type Ground, type Instance, type StartRequest, startShared } from './instance.ts'
import type { Lease } from './lease.ts'

type SharedInstance = Instance<SharedLegacyConnection>

export interface SharedOptions extends StartRequest {
  /** Milliseconds without a call after which the process is stopped. */
  readonly idle: number
  /** Starts within the tool's cap on processes. */
  counted<T>(start: () => Promise<T>): Promise<T>
  /** Called when it was retired, nothing runs and nobody is left. */
  unused(): void
  /** Called with each process that was started, for counting. */
  started(instance: SharedInstance): void
}

/**
 * One process that many links share: started on first use, stopped when idle, restarted after a
 * crash with backoff, replaced when it hangs.
 */
export class Shared {
  readonly #ground: Ground
  readonly #options: SharedOptions
  readonly #links = new Set<Link>()
  readonly #subscriptions = new Subscriptions()
  readonly #abort = new AbortController()
  #current: SharedInstance | undefined
  /** It may hang. */
  #doubted: SharedInstance | undefined
  #starting: Promise<SharedInstance> | undefined
  #calls = 0
  #idle: NodeJS.Timeout | undefined
  #failures = 0
  #notBefore = 0
  #retired = false

  constructor(ground: Ground, options: SharedOptions) {
    this.#ground = ground
    this.#options = options
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
      abandon: () => {},
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
    const wait = this.#notBefore - performance.now()
    if (wait > 0) {
      const message = 'The tool failed just now and is started again in a moment.'
      throw new ToolgateError('unavailable', message, { retryAfter: Math.ceil(wait / 1000) })
    }
    const request = { ...this.#options, signal: this.#abort.signal }
    try {
      const instance = await this.#options.counted(() =>
        startShared(this.#ground, request, this.#subscriptions),
      )
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
    } catch (error) {
      this.#failed()
      throw error
    }
  }

  #watch(instance: SharedInstance): void {
    const since = performance.now()
    void instance.process.closed.then(({ unexpected }) => {
      if (this.#current === instance) this.#current = undefined
      if (this.#doubted === instance) this.#doubted = undefined
      if (performance.now() - since > STABLE) this.#failures = 0
      if (unexpected) this.#failed()
      this.#endIfUnused()
    })
  }

  /** The first failure is forgiven at once, the next ones wait longer and longer. */
  #failed(): void {
    const delay = this.#failures === 0 ? 0 : Math.min(BACKOFF * 2 ** this.#failures, BACKOFF_MAX)
    this.#failures += 1
    this.#notBefore = performance.now() + delay
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

  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#retired || this.#current === undefined) return
    this.#idle = setTimeout(() => {
      // A subscriber waits for updates, so the process is in use though nobody calls.
      if (this.#calls > 0 || this.#subscriptions.any) return
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
    if (this.#current === undefined && this.#starting === undefined) this.#current = instance
    else void this.#drained(instance).then(() => instance.process.close('it was replaced'))
  }

  #condemn(connection: Connection, reason: string): void {
    const found = [this.#current, this.#doubted].find((each) => each?.connection === connection)
    if (found === undefined) return
    if (this.#current === found) this.#current = undefined
    else this.#doubted = undefined
    void this.#drained(found).then(() => found.process.kill(reason))
  }

  /** Its other calls are given their time before it is ended. */
  #drained({ connection }: SharedInstance): Promise<void> {
    return connection.drained(this.#options.tool.timeout ?? this.#ground.config.timeouts.call)
  }

  #leave(link: Link, reason: string): void {
    this.#links.delete(link)
    for (const each of [this.#current, this.#doubted]) each?.connection.detach(link, reason)
    this.#subscriptions.leave(link)
    this.#endIfUnused()
    if (this.#calls === 0) this.#rest()
  }

  #endIfUnused(): void {
    if (this.#links.size > 0) return
    // What is still current is kept, idle or not: it remembers how often it failed.
    if (!this.#retired) return
    if (this.#starting !== undefined) this.#abort.abort()
    for (const each of [this.#current, this.#doubted]) {
      void each?.process.close('nobody uses it any more')
    }
    if (this.#current === undefined && this.#starting === undefined) this.#options.unused()
  }
}

const BACKOFF = 250
const BACKOFF_MAX = 30_000
/** A process that lived so long is no longer counted as crashing. */
const STABLE = 10_000

function attached(instance: SharedInstance, link: Link): Connection {
  instance.connection.attach(link)
  return instance.connection
}
