/**
 * Who goes first. `interactive`: somebody waits for the answer; `job`: nobody does just now;
 * `background`: our own, for a caller who may come.
 */
export type Priority = 'interactive' | 'job' | 'background'

/** One that waits for its turn. */
export interface Waiter {
  readonly priority: Priority
  /** Callers take turns, however many of each wait. */
  readonly caller: string
}

/** Those that wait, in the order of their turns: by priority, and in each by callers in turn. */
export class Queue<W extends Waiter> {
  /** The caller whose turn is next is first. */
  readonly #turns: Readonly<Record<Priority, Map<string, Set<W>>>> = {
    interactive: new Map(),
    job: new Map(),
    background: new Map(),
  }
  #size = 0

  get size(): number {
    return this.#size
  }

  add(waiter: W): void {
    const callers = this.#turns[waiter.priority]
    const waiting = callers.get(waiter.caller) ?? new Set()
    callers.set(waiter.caller, waiting.add(waiter))
    this.#size += 1
  }

  /** It gives up; false: it did not wait. */
  leave(waiter: W): boolean {
    const callers = this.#turns[waiter.priority]
    const waiting = callers.get(waiter.caller)
    if (waiting?.delete(waiter) !== true) return false
    if (waiting.size === 0) callers.delete(waiter.caller)
    this.#size -= 1
    return true
  }

  /** It had its turn: its caller's next one waits until all others had theirs. False: it is gone. */
  serve(waiter: W): boolean {
    if (!this.leave(waiter)) return false
    const callers = this.#turns[waiter.priority]
    const waiting = callers.get(waiter.caller)
    if (waiting === undefined) return true
    callers.delete(waiter.caller)
    callers.set(waiter.caller, waiting)
    return true
  }

  /** All, in the order of their turns; it may be changed meanwhile. */
  inTurn(): W[] {
    return Object.values(this.#turns).flatMap((callers) => roundRobin([...callers.values()]))
  }
}

/** The first of each, then the second of each, and so on. */
function roundRobin<W>(lines: readonly ReadonlySet<W>[]): W[] {
  const rounds: W[][] = []
  for (const line of lines) {
    let round = 0
    for (const waiter of line) {
      rounds[round] ??= []
      rounds[round++]?.push(waiter)
    }
  }
  return rounds.flat()
}
