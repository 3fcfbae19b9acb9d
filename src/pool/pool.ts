import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Declaration } from '../tool/declaration.ts'
import { AllSpares } from './all-spares.ts'
import { Caps } from './caps.ts'
import { Closing, shuttingDown } from './closing.ts'
import { dependsOnCaller } from './depends.ts'
import { helloOf } from './hello.ts'
import { startOwn, startSpare } from './instance.ts'
import type { Lease, LeaseOptions, Spoken } from './lease.ts'
import { OwnLease } from './own.ts'
import { placeOf, placeOfAll } from './place.ts'
import { ownerOf, Places, traceOf } from './places.ts'
import { type Probed, Probes } from './probes.ts'
import { Refill } from './refill.ts'
import { makeRoom } from './room.ts'
import { Running, type RunningInstance } from './running.ts'
import type { Wanted } from './shared-start.ts'
import type { Ground, Started, StartRequest } from './starting.ts'
import { Starts } from './starts.ts'

/** What the pool is told, and tells. */
export interface PoolHooks {
  /** Which eras a tool speaks. */
  spoken(tool: Declaration): Spoken | Promise<Spoken>
  /** One of a tool's processes says that its lists changed. */
  listChanged(tool: string): void
}

export type PoolParts = Pick<Ground, 'config' | 'telemetry' | 'egress'>

/** The instances of all tools. */
export class Pool {
  readonly #ground: Ground
  readonly #hooks: PoolHooks
  readonly #running = new Running()
  readonly #caps: Caps
  readonly #refill: Refill
  readonly #places: Places
  readonly #spares: AllSpares
  readonly #probes: Probes
  readonly #closing = new Closing()
  readonly #freed: () => void

  constructor({ config, telemetry, egress }: PoolParts, hooks: PoolHooks) {
    const { pool, sessions, timeouts } = config
    const starts = new Starts({ most: pool.starts, wait: timeouts.start })
    this.#ground = { config, telemetry, egress, starts }
    this.#hooks = hooks
    this.#caps = new Caps({
      ...pool,
      perTool: sessions.perTool,
      running: (tool) =>
        tool === undefined ? this.#running.countedAll() : this.#running.counted(tool),
      makeRoom: (claim, full) => makeRoom(this.#places.entries, this.#spares.versions, claim, full),
    })
    this.#refill = new Refill({ starts: () => starts.underWay + starts.waiting })
    this.#freed = () => this.#caps.look()
    this.#places = new Places({
      ground: this.#ground,
      caps: this.#caps,
      request: (tool) => this.#request(tool),
      started: (tool, want, start) => this.#placed(tool, want, start),
      uncounted: (started) => void this.#track(started, 'uncounted'),
    })
    this.#spares = new AllSpares({
      refill: this.#refill,
      start: (tool, hello) => this.#startSpare(tool, hello),
      hasRoom: ({ name }) => this.#caps.hasRoom(name),
    })
    this.#probes = new Probes({
      ground: this.#ground,
      closing: this.#closing,
      request: (tool) => this.#request(tool),
      started: (started) => void this.#track(started, 'uncounted'),
    })
  }

  /**
   * A lease for the link: `placeOf` says on what. A process that is the session's own is started
   * here, others when they are first asked for.
   */
  async lease(link: Link, options: LeaseOptions = {}): Promise<Lease> {
    this.#closing.check()
    const known = this.#hooks.spoken(link.tool)
    const spoken = known instanceof Promise ? await known : known
    this.#closing.check()
    const place = placeOf(link, spoken)
    if (place === 'own') return this.#own(link, options)
    return this.#places.lease(place, link, options)
  }

  /** A link that waits for its lease is gone. */
  leave(link: Link): void {
    this.#caps.leave(link)
  }

  /**
   * Keeps ready what the file of a tool that is known by now wants to be kept: spares, or the least
   * that its pool is to have. Safe to call again.
   */
  prepare(tool: Declaration, { era }: Spoken): void {
    if (this.#closing.reason !== undefined) return
    if (tool.mode === 'daemon') {
      if (tool.instances.min === 0) return
      this.#places.keep(placeOfAll(tool, era), tool)
    } else if (tool.warm.spares > 0 && !dependsOnCaller(tool)) this.#spares.keep(tool)
  }

  /**
   * Which eras a tool speaks: asked of processes that are ended then. Rejects with
   * `tool_failed_to_start` when one cannot be started, and with `shutting_down`.
   */
  probe(tool: Declaration): Promise<Probed> {
    return this.#probes.probe(tool)
  }

  /** Milliseconds after which a process that says nothing to a probe has said no. */
  get patience(): number {
    return this.#probes.patience
  }

  /** Ends the spares of a version now, its shared processes with their last lease. */
  retire(tool: Declaration): void {
    this.#places.retire(tool)
    this.#spares.retire(tool)
  }

  /** Processes of a tool that run now. */
  count(tool: string): number {
    return this.#running.count(tool)
  }

  /** The same, one by one. */
  running(tool: string): RunningInstance[] {
    return this.#running.shown(tool)
  }

  counts(): [tool: string, running: number][] {
    return this.#running.counts()
  }

  /** Processes that are ready for whoever comes next. */
  spares(): [tool: string, spares: number][] {
    return this.#spares.counts()
  }

  /** How many wait for a process of each tool. */
  waiting(): [tool: string, waiting: number][] {
    return this.#caps.waiting()
  }

  /** Ends every process; resolves when all are gone. */
  async close(reason: string): Promise<void> {
    this.#closing.begin(reason)
    this.#refill.close()
    this.#spares.close()
    this.#caps.close(shuttingDown())
    await Promise.all([
      this.#places.close(reason),
      ...this.#running.all().map(({ process }) => process.close(reason)),
      this.#probes.over(),
      this.#ground.starts.over(),
    ])
  }

  async #own(link: Link, { priority = 'interactive' }: LeaseOptions): Promise<Lease> {
    const { tool } = link
    const { signal } = this.#closing
    const request = { ...this.#request(tool), ...traceOf(link), owner: ownerOf(link), priority }
    const instance = await this.#placed(
      tool,
      { caller: link.caller.id, of: link, priority, link },
      (spare) => startOwn(this.#ground, { ...request, signal, ...(spare && { spare }) }),
    )
    return new OwnLease(instance, link, this.#refill, this.#freed)
  }

  /** A spare where there is one, else a start within the caps. */
  async #placed<T extends Started>(
    tool: Declaration,
    want: Omit<Wanted, 'signal'> & { readonly caller: string; readonly link?: Link },
    start: (spare: Started | undefined) => Promise<T>,
  ): Promise<T> {
    // No spare is started before whoever wants a process has one.
    this.#refill.enter(want)
    try {
      const spare = tool.mode === 'launcher' ? await this.#takeSpare(tool, want.link) : undefined
      if (spare !== undefined) {
        try {
          return await start(spare)
        } catch (error) {
          // It died before it was of use, and another may do better.
          if (!isGone(error)) throw error
        }
      }
      return await this.#caps.within({ ...want, tool: tool.name }, async () =>
        this.#track(await start(undefined), 'counted'),
      )
    } finally {
      this.#refill.settled(want)
      this.#refill.look()
    }
  }

  /** `link`: whose own it is to be. */
  async #takeSpare(tool: Declaration, link?: Link): Promise<Started | undefined> {
    const hello = tool.warm.initialized && link !== undefined ? helloOf(link) : undefined
    const spare = await this.#spares.take(tool, hello)
    if (spare === undefined) return undefined
    this.#running.handOut(spare)
    this.#endWhenClosing(spare)
    this.#closing.check()
    return spare
  }

  #startSpare(tool: Declaration, hello: string | undefined): Promise<Started> {
    const request = { ...this.#request(tool), signal: this.#closing.signal }
    return this.#caps.within(
      { tool: tool.name, caller: '', priority: 'background', of: tool },
      async () => this.#track(await startSpare(this.#ground, request, hello), 'spare'),
    )
  }

  #request(tool: Declaration): StartRequest {
    return { tool, events: { listChanged: () => this.#hooks.listChanged(tool.name) } }
  }

  #track<T extends Started>(started: T, what: 'counted' | 'uncounted' | 'spare'): T {
    this.#running.add(started, what)
    void started.process.closed.then(() => {
      this.#caps.look()
      this.#refill.look()
    })
    this.#endWhenClosing(started)
    return started
  }

  #endWhenClosing({ process }: Started): void {
    const { reason } = this.#closing
    if (reason !== undefined) void process.close(reason)
  }
}

function isGone(error: unknown): boolean {
  if (!(error instanceof ToolgateError)) return false
  return error.cause instanceof ToolgateError && error.cause.code === 'tool_gone'
}
