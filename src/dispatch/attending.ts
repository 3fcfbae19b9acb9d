import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, Message } from '../protocol/message.ts'
import { withId } from '../protocol/read.ts'
import type { Turn, Visit } from './parked.ts'
import { retold } from './retold.ts'

/** How a call ended. */
export type Outcome = { readonly answer: Message } | { readonly error: unknown }

/** A client that waits for the end of its turn. */
export class Attending {
  /** What its request came with: the call's own link, but for a later request. */
  readonly link: Link
  /** Its request is not the one that the tool has. */
  readonly later: boolean
  /** How its request ends. */
  readonly turn: Promise<Turn>
  readonly #visit: Visit
  readonly #leave: () => void
  readonly #resolve: (turn: Turn) => void
  readonly #reject: (error: unknown) => void

  /** `leave` is called when it goes away before it has its answer. */
  constructor(visit: Visit, link: Link, later: boolean, leave: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<Turn>()
    this.link = link
    this.later = later
    this.turn = promise
    this.#visit = visit
    this.#leave = leave
    this.#resolve = resolve
    this.#reject = reject
    if (visit.signal.aborted) leave()
    else visit.signal.addEventListener('abort', leave, { once: true })
  }

  notify(message: Message): void {
    const told = this.later ? retold(message, this.#visit.request, this.link) : message
    if (told !== undefined) this.#visit.notify(told)
  }

  /** It is asked first. */
  ask(turn: Turn): void {
    this.#part()
    this.#resolve(turn)
  }

  /** It is told how the call ended, under the id of its own request. */
  end(outcome: Outcome): void {
    this.#part()
    try {
      if ('error' in outcome) throw outcome.error
      const { answer } = outcome
      this.#resolve({ answer: this.later ? withId(answer, this.#visit.request.id as Id) : answer })
    } catch (error) {
      this.#reject(error)
    }
  }

  /** A client that has its answer may go away. */
  #part(): void {
    this.#visit.signal.removeEventListener('abort', this.#leave)
  }
}

/** As much of an outcome as is kept for a client that is away; undefined: nothing. */
export function kept(outcome: Outcome): Outcome | undefined {
  if ('answer' in outcome) {
    return outcome.answer.bytes.length > MOST_KEPT ? { error: tooMuch() } : outcome
  }
  // A call that ran out of time is over.
  const late = outcome.error instanceof ToolgateError && outcome.error.code === 'timeout'
  return late ? undefined : outcome
}

/** Most bytes of an answer that is kept. */
const MOST_KEPT = 256 * 1024

function tooMuch(): ToolgateError {
  const message = 'The tool answered while its client was away, too much to be kept. Call again.'
  return new ToolgateError('unavailable', message)
}
