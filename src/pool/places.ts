import type { Link } from '../call/link.ts'
import { Subscriptions } from '../outbound/subscriptions.ts'
import type { Declaration } from '../tool/declaration.ts'
import { Backoff } from './backoff.ts'
import type { Caps } from './caps.ts'
import { Daemons } from './daemons.ts'
import { Exclusive } from './exclusive.ts'
import type { Lease, Leased, LeaseOptions } from './lease.ts'
import type { Place } from './place.ts'
import { type Among, Shared } from './shared.ts'
import type { Wanted } from './shared-start.ts'
import type { Ground, Started, StartRequest } from './starting.ts'

/** The processes of one place. */
export interface Entry {
  readonly leased: Leased
  readonly tool: Declaration
  /** Empty: everybody. */
  readonly caller: string
}

/** What a place needs to start processes. */
export interface PlacesParts {
  readonly ground: Ground
  readonly caps: Caps
  request(tool: Declaration): StartRequest
  /** Starts one within the caps, or makes a spare ready. */
  started<T extends Started>(
    tool: Declaration,
    want: Omit<Wanted, 'signal'> & { readonly caller: string },
    start: (spare: Started | undefined) => Promise<T>,
  ): Promise<T>
  /** Told of each that was started outside the caps. */
  uncounted(started: Started): void
}

/** Where links are served that have no process of their own: each place, with its processes. */
export class Places {
  readonly #parts: PlacesParts
  /** What new links are leased from, and what only ends. */
  readonly #entries = new Map<string, Entry>()
  readonly #retired = new Set<Leased>()
  readonly #backoffs = new Map<string, Backoff>()
  readonly #freed: () => void

  constructor(parts: PlacesParts) {
    this.#parts = parts
    this.#freed = () => parts.caps.look()
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries
  }

  lease(place: Place, link: Link, options: LeaseOptions): Lease {
    const key = keyOf(link.tool, place.key)
    const known = this.#entries.get(key) ?? this.#open(key, place, link.tool, link, options)
    const lease = known.leased.lease(link, options.priority)
    if (place.alone) this.#retire(key)
    return lease
  }

  /** Starts the least that the pool of a daemon is to have, and keeps it running. */
  keep(place: Place, tool: Declaration): void {
    const key = keyOf(tool, place.key)
    const { leased } = this.#entries.get(key) ?? this.#open(key, place, tool)
    if (leased instanceof Daemons) leased.keep()
  }

  /** Ends the processes of a version when their last lease is given back. */
  retire(tool: Declaration): void {
    const version = keyOf(tool, '')
    for (const key of this.#entries.keys()) if (key.startsWith(version)) this.#retire(key)
    for (const key of this.#backoffs.keys()) {
      if (key.startsWith(version)) this.#backoffs.delete(key)
    }
  }

  async close(reason: string): Promise<void> {
    const leased = [...this.#retired, ...[...this.#entries.values()].map((each) => each.leased)]
    await Promise.all(leased.map((each) => each.close(reason)))
  }

  /** `link`: the first that asks for one of its processes. */
  #open(
    key: string,
    place: Place,
    tool: Declaration,
    link?: Link,
    { uncounted = false }: LeaseOptions = {},
  ): Entry {
    const { ground, caps, request, started } = this.#parts
    const caller = link === undefined || tool.mode === 'daemon' ? '' : link.caller.id
    const backoff = this.#backoffOf(place, tool, caller)
    const subscriptions = new Subscriptions()
    const common = {
      ...request(tool),
      ...(link !== undefined && place.alone && traceOf(link)),
      ...(link !== undefined && tool.mode === 'launcher' && { owner: ownerOf(link) }),
      how: place.how,
      subscriptions,
      backoff,
      single: place.exclusive || (place.alone && link?.kind === 'request'),
      idle: tool.idle ?? ground.config.timeouts.idle,
      placed: async <T extends Started>(
        want: Wanted,
        start: (spare: Started | undefined) => Promise<T>,
      ): Promise<T> => {
        if (!uncounted) {
          want.signal.addEventListener('abort', () => caps.leave(want.of), { once: true })
          return started(tool, { caller, ...want }, start)
        }
        const instance = await start(undefined)
        this.#parts.uncounted(instance)
        return instance
      },
      freed: this.#freed,
    }
    const slot = (unused: () => void, among?: Among) =>
      new Shared(ground, { ...common, unused, ...(among && { among }) })
    const unused = () => {
      this.#retired.delete(leased)
      if (this.#entries.get(key)?.leased === leased) this.#entries.delete(key)
    }
    const parts = { slot, unused, backoff, listened: () => subscriptions.any }
    const leased = this.#leased(place, tool, parts)
    const entry = { leased, tool, caller }
    this.#entries.set(key, entry)
    return entry
  }

  #leased(
    place: Place,
    tool: Declaration,
    parts: {
      slot(unused: () => void, among?: Among): Shared
      unused(): void
      listened(): boolean
      readonly backoff: Backoff
    },
  ): Leased {
    const { caps } = this.#parts
    const { instances } = tool
    if (place.exclusive) {
      return new Exclusive({ ...parts, contended: () => caps.isWaitedFor(tool.name) })
    }
    if (tool.mode !== 'daemon' || (instances.min === 0 && instances.max === 1)) {
      return parts.slot(parts.unused)
    }
    return new Daemons({ ...parts, instances, hasRoom: () => caps.hasRoom(tool.name) })
  }

  /** What fails is the tool, for this caller, so another place of the same two is no better. */
  #backoffOf({ alone }: Place, tool: Declaration, caller: string): Backoff {
    if (alone) return new Backoff()
    const key = keyOf(tool, tool.mode === 'daemon' ? 'all' : caller)
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
}

/** Neither a name nor a version has a space in it. */
export function keyOf({ name, version }: Declaration, place: string): string {
  return `${name} ${version} ${place}`
}

export function traceOf({ traceparent }: Link): { traceparent?: string } {
  return traceparent === undefined ? {} : { traceparent }
}

export function ownerOf({ id, caller }: Link) {
  return { caller: caller.anonymous ? null : caller.id, link: id }
}
