import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Declaration } from '../tool/declaration.ts'
import { type Ground, type Instance, type StartRequest, startOwn } from './instance.ts'
import type { Lease } from './lease.ts'
import { OwnLease } from './own.ts'
import { Shared } from './shared.ts'

/** The instances of all tools. */
export class Pool {
  readonly #ground: Ground
  readonly #listChanged: (tool: string) => void
  readonly #running = new Map<string, Set<Instance>>()
  readonly #starting = new Map<string, number>()
  /** What new links are leased from, and what only ends. */
  readonly #shared = new Map<string, { shared: Shared; tool: Declaration }>()
  readonly #retired = new Set<Shared>()
  readonly #abort = new AbortController()
  /** Processes that nobody's session or call is waiting for. */
  readonly #spare = new WeakSet<Instance>()
  #closing: string | undefined

  /** `listChanged` is called with a tool's name when one of its processes says its lists changed. */
  constructor(ground: Ground, listChanged: (tool: string) => void) {
    this.#ground = ground
    this.#listChanged = listChanged
  }

  /**
   * A lease for the link. A session of a launcher gets a process of its own, which is started
   * here; a caller's single requests share one, except anonymous ones; a daemon's all share one.
   * A `spare` one is not counted against the tool's cap.
   */
  async lease(link: Link, { spare = false } = {}): Promise<Lease> {
    if (this.#closing !== undefined) {
      throw new ToolgateError('shutting_down', 'The gateway is shutting down.')
    }
    const { tool } = link
    if (tool.mode === 'daemon') return this.#share(tool, 'all').lease(link)
    if (link.kind === 'session') return this.#own(link)
    if (!link.caller.anonymous) return this.#share(tool, `caller ${link.caller.id}`).lease(link)
    const shared = this.#share(tool, `request ${link.id}`, spare)
    const lease = shared.lease(link)
    this.#retire(`${tool.name} ${tool.version} request ${link.id}`)
    return lease
  }

  /** Ends the shared processes of a version when their last lease is given back. */
  retire(tool: Declaration): void {
    for (const [key, entry] of this.#shared) {
      if (entry.tool.name === tool.name && entry.tool.version === tool.version) this.#retire(key)
    }
  }

  /** Processes of a tool that run now. */
  count(tool: string): number {
    return this.#running.get(tool)?.size ?? 0
  }

  counts(): [tool: string, running: number][] {
    return [...this.#running].map(([tool, running]) => [tool, running.size])
  }

  /** Ends every process; resolves when all are gone. */
  async close(reason: string): Promise<void> {
    this.#closing = reason
    this.#abort.abort()
    const sharers = [...this.#retired, ...[...this.#shared.values()].map(({ shared }) => shared)]
    const shared = sharers.map((each) => each.close(reason))
    const running = [...this.#running.values()].flatMap((instances) => [...instances])
    await Promise.all([...shared, ...running.map(({ process }) => process.close(reason))])
  }

  async #own(link: Link): Promise<Lease> {
    const request = {
      ...this.#request(link.tool),
      ...traceOf(link),
      signal: this.#abort.signal,
    }
    const instance = await this.#counted(link.tool, () => startOwn(this.#ground, request))
    this.#track(instance)
    return new OwnLease(instance, link)
  }

  #share(tool: Declaration, who: string, spare = false): Shared {
    const key = `${tool.name} ${tool.version} ${who}`
    const known = this.#shared.get(key)
    if (known !== undefined) return known.shared
    const shared: Shared = new Shared(this.#ground, {
      ...this.#request(tool),
      idle: tool.idle ?? this.#ground.config.timeouts.idle,
      counted: (start) => (spare ? start() : this.#counted(tool, start)),
      unused: () => this.#retired.delete(shared),
      started: (instance) => {
        if (spare) this.#spare.add(instance)
        this.#track(instance)
      },
    })
    this.#shared.set(key, { shared, tool })
    return shared
  }

  /** Nobody else is leased from it: the same version may come back, and is a new one then. */
  #retire(key: string): void {
    const entry = this.#shared.get(key)
    if (entry === undefined) return
    this.#shared.delete(key)
    this.#retired.add(entry.shared)
    entry.shared.retire()
  }

  #request(tool: Declaration): StartRequest {
    return { tool, events: { listChanged: () => this.#listChanged(tool.name) } }
  }

  async #counted<T>(tool: Declaration, start: () => Promise<T>): Promise<T> {
    this.#admit(tool)
    this.#starting.set(tool.name, (this.#starting.get(tool.name) ?? 0) + 1)
    try {
      return await start()
    } finally {
      this.#starting.set(tool.name, (this.#starting.get(tool.name) ?? 1) - 1)
    }
  }

  #admit(tool: Declaration): void {
    const { perTool } = this.#ground.config.sessions
    const running = [...(this.#running.get(tool.name) ?? [])].filter(
      (each) => !each.process.ending && !this.#spare.has(each),
    )
    if (running.length + (this.#starting.get(tool.name) ?? 0) < perTool) return
    const message = `The tool has ${perTool} processes, the most it may have (sessions.perTool).`
    throw new ToolgateError('unavailable', message, { retryAfter: 5 })
  }

  #track(instance: Instance): void {
    const { name } = instance.tool
    const running = this.#running.get(name) ?? new Set()
    this.#running.set(name, running.add(instance))
    void instance.process.ended.then(() => {
      running.delete(instance)
      if (running.size === 0 && this.#running.get(name) === running) this.#running.delete(name)
    })
    if (this.#closing !== undefined) void instance.process.close(this.#closing)
  }
}

function traceOf({ traceparent }: Link): { traceparent?: string } {
  return traceparent === undefined ? {} : { traceparent }
}
