import type { Caller } from '../call/caller.ts'
import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'

/** Who holds a place. */
export interface Holder {
  readonly caller: Caller
  /** Name of its tool. */
  readonly tool: string
  /** It waits for a client that is away. */
  readonly away: boolean
  /** Its place is taken from it. */
  fail(error: Error): void
}

/**
 * Bounds the calls that wait for their clients: those of one caller of one tool
 * (`sessions.parked`), and all together (`sessions.max`).
 */
export class Places {
  readonly #limits: Config['sessions']
  readonly #held = new Map<string, Set<Holder>>()
  #size = 0

  constructor(limits: Config['sessions']) {
    this.#limits = limits
  }

  /** Throws `unavailable` where there is no place; does nothing for one that has its place. */
  take(holder: Holder): void {
    const { parked, max } = this.#limits
    const mine = this.#of(holder)
    if (mine.has(holder)) return
    if (mine.size >= parked) makeRoom(mine, holder, parked)
    if (this.#size >= max) {
      throw full(`${max} calls wait for their clients, the most there may be (sessions.max).`)
    }
    this.#held.set(keyOf(holder), mine.add(holder))
    this.#size += 1
  }

  leave(holder: Holder): void {
    const mine = this.#of(holder)
    if (!mine.delete(holder)) return
    this.#size -= 1
    if (mine.size === 0) this.#held.delete(keyOf(holder))
  }

  all(): Holder[] {
    return [...this.#held.values()].flatMap((holders) => [...holders])
  }

  #of(holder: Holder): Set<Holder> {
    return this.#held.get(keyOf(holder)) ?? new Set()
  }
}

/**
 * Anonymous callers are one caller to us, and one of them must not keep the others out by never
 * coming back: there the one that waits longest makes room.
 */
function makeRoom(mine: Set<Holder>, { caller, tool }: Holder, most: number): void {
  const longest = caller.anonymous ? [...mine].find(({ away }) => away) : undefined
  if (longest === undefined) {
    const whose = caller.anonymous ? 'anonymous callers' : 'this caller'
    throw full(
      `${most} calls of ${tool} wait for what they asked of ${whose}, the most there may be ` +
        '(sessions.parked).',
    )
  }
  longest.fail(full('A newer call that asks took its place (sessions.parked).'))
}

function keyOf({ tool, caller }: Holder): string {
  return `${tool} ${caller.id}`
}

function full(message: string): ToolgateError {
  return new ToolgateError('unavailable', message, { retryAfter: 5 })
}
