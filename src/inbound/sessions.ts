import type { Caller } from '../call/caller.ts'
import { newId } from '../call/new-id.ts'
import type { Config } from '../config/config.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import { ALL_TOOLS } from './aggregate/all-tools.ts'
import { Session } from './session.ts'

/** What the store needs of a session, whatever its wire. */
export interface Kept {
  readonly id: string
  readonly tool: Declaration
  readonly caller: Caller
  readonly unused: boolean
  readonly deadline: number
  end(reason: string): void
}

/** All legacy sessions: their caps, their ends, and who may use them. */
export class Sessions {
  readonly #config: Config
  readonly #dispatch: Dispatch
  readonly #log: Logger
  readonly #sessions = new Map<string, Kept>()
  readonly #perTool = new Map<string, number>()
  /** Sessions of all tools, by id, and a tool that each uses. */
  readonly #held = new Set<{ readonly id: string; readonly tool: string }>()
  #sweeper: NodeJS.Timeout | undefined

  constructor(config: Config, dispatch: Dispatch, log: Logger) {
    this.#config = config
    this.#dispatch = dispatch
    this.#log = log
  }

  get size(): number {
    return this.#sessions.size
  }

  counts(): Iterable<[tool: string, sessions: number]> {
    return this.#perTool
  }

  count(tool: string): number {
    return this.#perTool.get(tool) ?? 0
  }

  /** A new Streamable HTTP session, which `open` then has its lease taken for. */
  create(tool: Declaration, caller: Caller, traceparent?: string): Session {
    return new Session({
      id: newId(),
      tool,
      caller,
      config: this.#config,
      ...(traceparent === undefined ? {} : { traceparent }),
      onEnd: (ended, reason) => {
        this.remove(ended, reason)
        this.#dispatch.close(ended, reason)
      },
    })
  }

  /** Takes it in and its lease. Rejects when none can be had; the session is over then. */
  async open(session: Session): Promise<void> {
    try {
      this.add(session)
      await this.#dispatch.open(session)
    } catch (error) {
      session.end('it could not be opened')
      throw error
    }
    if (!session.over) return
    // It ended while its tool was starting: the lease came too late to be given back by it.
    this.#dispatch.close(session, 'it ended while its tool was starting')
    throw new ToolgateError('tool_gone', 'The session ended while its tool was starting.')
  }

  /** Takes a session in, within the caps; the caller's longest unused one makes room. */
  add(session: Kept): void {
    const { max, perTool } = this.#config.sessions
    const { name } = session.tool
    const { caller } = session
    if (session.tool !== ALL_TOOLS && this.count(name) >= perTool) {
      this.#makeRoom(`sessions.perTool (${perTool})`, caller, name)
    }
    if (this.size >= max) this.#makeRoom(`sessions.max (${max})`, caller)
    this.#sessions.set(session.id, session)
    this.#count(name, 1)
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP).unref()
  }

  remove(session: Kept, reason: string): void {
    if (!this.#sessions.delete(session.id)) return
    const { name } = session.tool
    this.#count(name, -1)
    this.#log.info({ tool: name, caller: session.caller.id, reason }, 'session ended')
    if (this.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  /**
   * Counts a session of all tools as one of this tool too; what it returns ends that, once.
   * Throws `unavailable` at the tool's cap.
   */
  hold(tool: string, { id, caller }: Pick<Kept, 'id' | 'caller'>): () => void {
    const { perTool } = this.#config.sessions
    if (this.count(tool) >= perTool) this.#makeRoom(`sessions.perTool (${perTool})`, caller, tool)
    const held = { id, tool }
    this.#held.add(held)
    this.#count(tool, 1)
    return () => {
      if (this.#held.delete(held)) this.#count(tool, -1)
    }
  }

  /** The caller's own session on this tool; whatever else is unknown, so nothing is given away. */
  find(id: string, tool: string, caller: Caller): Kept {
    const session = this.#sessions.get(id)
    if (session?.tool.name !== tool || session.caller.id !== caller.id) {
      throw new ToolgateError('unknown_session', 'The session is unknown or has ended.')
    }
    return session
  }

  /** The version that a caller's session on this tool began with; undefined where there is none. */
  toolOf(id: string, tool: string, caller: Caller): Declaration | undefined {
    const session = this.#sessions.get(id)
    return session?.tool.name === tool && session.caller.id === caller.id ? session.tool : undefined
  }

  endAll(reason: string): void {
    for (const session of [...this.#sessions.values()]) session.end(reason)
  }

  #count(tool: string, more: number): void {
    const count = this.count(tool) + more
    if (count > 0) this.#perTool.set(tool, count)
    else this.#perTool.delete(tool)
  }

  /** Nobody's session makes room for somebody else's. */
  #makeRoom(cap: string, caller: Caller, tool?: string): void {
    const held = [...this.#held].filter((each) => each.tool === tool).map(({ id }) => id)
    const using = new Set(held)
    let longest: Kept | undefined
    for (const session of this.#sessions.values()) {
      if (session.caller.id !== caller.id || !session.unused) continue
      if (tool !== undefined && session.tool.name !== tool && !using.has(session.id)) continue
      if (longest === undefined || session.deadline < longest.deadline) longest = session
    }
    if (longest === undefined) {
      const message = `There are as many sessions as there may be: ${cap}.`
      throw new ToolgateError('unavailable', message, { retryAfter: 5 })
    }
    longest.end('a newer session took its place')
  }

  #sweep(): void {
    const now = performance.now()
    for (const session of this.#sessions.values()) {
      if (session.deadline <= now) session.end('nobody came back to it')
    }
  }
}

/** Milliseconds between two looks at the sessions' deadlines. */
const SWEEP = 250

export { newId as newSessionId }
