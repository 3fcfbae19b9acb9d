import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import { type Question, type Reply, speaksLegacy, speaksModern } from '../outbound/probe.ts'
import { Subscriptions } from '../outbound/subscriptions.ts'
import type { Declaration } from '../tool/declaration.ts'
import { within } from '../within.ts'
import { Backoff } from './backoff.ts'
import { Exclusive } from './exclusive.ts'
import { type Ground, type Started, type StartRequest, startAsked, startOwn } from './instance.ts'
import type { Lease, Leased, Spoken } from './lease.ts'
import { OwnLease } from './own.ts'
import { type Place, placeOf } from './place.ts'
import { Running, type RunningInstance } from './running.ts'
import { Shared } from './shared.ts'

/** What the pool is told, and tells. */
export interface PoolHooks {
  /** Which eras a tool speaks. */
  spoken(tool: Declaration): Spoken | Promise<Spoken>
  /** One of a tool's processes says that its lists changed. */
  listChanged(tool: string): void
}

/** What asking a tool for its eras came to. */
export interface Probed extends Spoken {
  /** It is called legacy because it said nothing: it may only be slow to start. */
  readonly silent: boolean
}

interface Entry {
  readonly leased: Leased
  readonly tool: Declaration
  readonly caller: string
}

/** The instances of all tools. */
export class Pool {
  readonly #ground: Ground
  readonly #hooks: PoolHooks
  readonly #running: Running
  /** What new links are leased from, and what only ends. */
  readonly #entries = new Map<string, Entry>()
  readonly #retired = new Set<Leased>()
  readonly #backoffs = new Map<string, Backoff>()
  readonly #probes = new Set<Promise<Probed>>()
  readonly #abort = new AbortController()
  #closing: string | undefined

  constructor(ground: Ground, hooks: PoolHooks) {
    this.#ground = ground
    this.#hooks = hooks
    this.#running = new Running(ground.config.sessions.perTool)
  }

  /**
   * A lease for the link: `placeOf` says on what. A process that is the session's own is started
   * here, others when they are first asked for. A `spare` one is not counted against the cap.
   */
  async lease(link: Link, { spare = false } = {}): Promise<Lease> {
    this.#refuseWhenClosing()
    const known = this.#hooks.spoken(link.tool)
    const spoken = known instanceof Promise ? await known : known
    this.#refuseWhenClosing()
    const place = placeOf(link, spoken)
    if (place === 'own') return this.#own(link)
    const key = keyOf(link.tool, place.key)
    const lease = this.#at(key, place, link, spare).lease(link)
    if (place.alone) this.#retire(key)
    return lease
  }

  /**
   * Which eras a tool speaks: asked of processes that are ended then. Rejects with
   * `tool_failed_to_start` when one cannot be started, and with `shutting_down`.
   */
  async probe(tool: Declaration): Promise<Probed> {
    const probing = this.#probe(tool)
    this.#probes.add(probing)
    try {
      return await probing
    } finally {
      this.#probes.delete(probing)
    }
  }

  /** Milliseconds after which a process that says nothing to a probe has said no. */
  get patience(): number {
    return Math.min(PATIENCE, this.#ground.config.timeouts.start / 2)
  }

  /** Ends the shared processes of a version when their last lease is given back. */
  retire(tool: Declaration): void {
    const version = keyOf(tool, '')
    for (const key of this.#entries.keys()) if (key.startsWith(version)) this.#retire(key)
    for (const key of this.#backoffs.keys()) {
      if (key.startsWith(version)) this.#backoffs.delete(key)
    }
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

  /** Ends every process; resolves when all are gone. */
  async close(reason: string): Promise<void> {
    this.#closing = reason
    this.#abort.abort()
    const leased = [...this.#retired, ...[...this.#entries.values()].map((each) => each.leased)]
    await Promise.all([
      ...leased.map((each) => each.close(reason)),
      ...this.#running.all().map(({ process }) => process.close(reason)),
      Promise.allSettled(this.#probes),
    ])
  }

  #refuseWhenClosing(): void {
    if (this.#closing === undefined) return
    throw new ToolgateError('shutting_down', 'The gateway is shutting down.')
  }

  async #own(link: Link): Promise<Lease> {
    const { tool, caller } = link
    const request = { ...this.#request(tool), ...traceOf(link), signal: this.#abort.signal }
    const instance = await this.#counted(tool, caller.id, () => startOwn(this.#ground, request))
    this.#track(instance, false)
    return new OwnLease(instance, link)
  }

  #at(key: string, place: Place, link: Link, spare: boolean): Leased {
    const known = this.#entries.get(key)
    if (known !== undefined) return known.leased
    const { tool, caller } = link
    const unused = () => {
      this.#retired.delete(leased)
      if (this.#entries.get(key)?.leased === leased) this.#entries.delete(key)
    }
    const common = {
      ...this.#request(tool),
      ...(place.alone && traceOf(link)),
      how: place.how,
      subscriptions: new Subscriptions(),
      backoff: this.#backoffOf(place, link),
      single: place.exclusive || (place.alone && link.kind === 'request'),
      idle: tool.idle ?? this.#ground.config.timeouts.idle,
      counted: <T>(start: () => Promise<T>) =>
        spare ? start() : this.#counted(tool, caller.id, start),
      started: (instance: Started) => this.#track(instance, spare),
    }
    const slot = (unused: () => void) => new Shared(this.#ground, { ...common, unused })
    const leased: Leased = place.exclusive ? new Exclusive({ slot, unused }) : slot(unused)
    this.#entries.set(key, { leased, tool, caller: caller.id })
    return leased
  }

  /** What fails is the tool, for this caller, so another place of the same two is no better. */
  #backoffOf({ alone }: Place, { tool, caller }: Link): Backoff {
    if (alone) return new Backoff()
    const key = keyOf(tool, tool.mode === 'daemon' ? 'all' : caller.id)
    const backoff = this.#backoffs.get(key) ?? new Backoff()
    this.#backoffs.set(key, backoff)
    return backoff
  }

  /** Nobody else is leased from it: the same version may come back, and is a new one then. */
  #retire(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#retired.add(entry.leased)
    entry.leased.retire()
  }

  async #probe(tool: Declaration): Promise<Probed> {
    const modern = await this.#ask(tool, speaksModern)
    if (modern !== 'yes') return { era: 'legacy', dual: false, silent: modern === 'silent' }
    const legacy = await this.#ask(tool, speaksLegacy)
    return { era: 'modern', dual: legacy === 'yes', silent: false }
  }

  async #ask(tool: Declaration, question: Question): Promise<Reply> {
    this.#refuseWhenClosing()
    const request = { ...this.#request(tool), signal: this.#abort.signal }
    const started = await startAsked(this.#ground, request, question, this.patience)
    this.#track(started, true)
    const ended = started.process.close('it was asked for its era only')
    // What it holds, such as a port, is needed by the next one.
    await within(started.process.closed, LINGER)
    if (this.#closing !== undefined) await ended
    // The end of the gateway may be what it answered with.
    this.#refuseWhenClosing()
    return started.reply
  }

  #request(tool: Declaration): StartRequest {
    return { tool, events: { listChanged: () => this.#hooks.listChanged(tool.name) } }
  }

  #counted<T>(tool: Declaration, caller: string, start: () => Promise<T>): Promise<T> {
    return this.#running.counted(tool.name, () => this.#makeRoom(tool, caller), start)
  }

  /** Nobody's process makes room for somebody else's. */
  #makeRoom(tool: Declaration, caller: string): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.tool.name !== tool.name || entry.caller !== caller) continue
      if (tool.mode === 'launcher' && entry.leased.giveWay()) return true
    }
    return false
  }

  #track(started: Started, spare: boolean): void {
    this.#running.add(started, spare)
    if (this.#closing !== undefined) void started.process.close(this.#closing)
  }
}

const PATIENCE = 5_000
const LINGER = 500

/** Neither a name nor a version has a space in it. */
function keyOf({ name, version }: Declaration, place: string): string {
  return `${name} ${version} ${place}`
}

function traceOf({ traceparent }: Link): { traceparent?: string } {
  return traceparent === undefined ? {} : { traceparent }
}
