import type { Call, CallTrace, InputRequests, InputResponses } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { Attending, kept, type Outcome } from './attending.ts'
import type { Dispatch } from './dispatch.ts'
import type { Turn, Visit } from './parked.ts'
import type { Holder } from './places.ts'
import { Questions } from './questions.ts'
import { refuseUndeclared } from './traced.ts'

/** Where calls wait for clients that are away. */
export interface Yard {
  readonly dispatch: Dispatch
  /** Milliseconds for which a client is waited for. */
  readonly patience: number
  /** Takes a place to wait at. Throws `unavailable`, `shutting_down`. */
  enter(call: ParkedCall): void
  /** Gives the place back. */
  leave(call: ParkedCall): void
  /** A new id that the call is found by. Throws `unavailable` where nobody could go on with it. */
  park(call: ParkedCall): string
  unpark(id: string): void
}

/** A call that waits for its client between two requests of it. */
export class ParkedCall implements Call, Holder {
  readonly link: Link
  readonly request: Message
  readonly trace: CallTrace
  readonly #yard: Yard
  readonly #giveUp = new AbortController()
  #questions: Questions | undefined
  /** The client that waits now; undefined: it is away. */
  #attending: Attending | undefined
  /** Since when questions are gathered, and until when one more is waited for. */
  #gathering: { readonly since: number; timer?: NodeJS.Timeout } | undefined
  /** Of a call whose client is away: the id it is found by, and since when. */
  #state: string | undefined
  #since = 0
  #ended = false
  /** What it ended with while its client was away. */
  #outcome: Outcome | undefined
  #expiry: NodeJS.Timeout | undefined

  constructor(yard: Yard, link: Link, { request, trace }: Visit) {
    this.#yard = yard
    this.link = link
    this.request = request
    this.trace = trace
  }

  get ask(): Call['ask'] {
    return MAY_ASK.has(this.request.method) ? (requests) => this.#ask(requests) : undefined
  }

  get signal(): AbortSignal {
    return this.#giveUp.signal
  }

  get caller(): Caller {
    return this.link.caller
  }

  get tool(): string {
    return this.link.tool.name
  }

  get away(): boolean {
    return this.#state !== undefined
  }

  /** Opens the link, calls, and closes the link at the call's end. */
  begin(visit: Visit): Promise<Turn> {
    const { turn } = this.#attend(visit, this.link)
    void this.#run()
    return turn
  }

  /** Throws `invalid_params` for answers that are none, and waits on then. */
  resume(visit: Visit, link: Link, responses: unknown): Promise<Turn> {
    if (visit.signal.aborted) throw gone()
    if (this.#outcome === undefined) this.#questions?.answer(responses ?? {})
    this.#found()
    const { turn } = this.#attend(visit, link)
    if (this.#outcome !== undefined) this.#end(this.#outcome)
    else if (this.#asks) this.#gather()
    else this.#yard.leave(this)
    return turn
  }

  notify(message: Message): void {
    this.#attending?.notify(message)
  }

  /** Nobody is waited for any more. */
  fail(error: Error): void {
    this.#ended = true
    this.#found()
    this.#yard.leave(this)
    this.#questions?.fail(error)
    // Whatever its tool does about that.
    setImmediate(() => this.#giveUp.abort(error))
  }

  async #run(): Promise<void> {
    const { dispatch } = this.#yard
    let outcome: Outcome
    try {
      await dispatch.open(this.link)
      this.signal.throwIfAborted()
      outcome = { answer: await dispatch.call(this) }
    } catch (error) {
      outcome = { error }
    }
    dispatch.close(this.link, 'done')
    // What it still asks is of no use to anyone.
    this.#questions?.fail(gone())
    if (this.#attending !== undefined) this.#end(outcome)
    else if (!this.#ended) this.#keep(outcome)
    this.#ended = true
  }

  #attend(visit: Visit, link: Link): Attending {
    const leave = () => this.#giveUp.abort(gone())
    this.#attending = new Attending(visit, link, link !== this.link, leave)
    return this.#attending
  }

  async #ask(requests: InputRequests): Promise<InputResponses> {
    if (this.#ended) throw gone()
    this.#yard.enter(this)
    this.#questions ??= new Questions()
    const answered = this.#questions.add(requests)
    this.#gather()
    return answered
  }

  /** A tool sends its questions one by one: what comes within a moment of another goes with it. */
  #gather(): void {
    if (this.#attending === undefined) return
    const now = performance.now()
    this.#gathering ??= { since: now }
    const { since, timer } = this.#gathering
    clearTimeout(timer)
    const left = Math.max(0, Math.min(MOMENT, since + TOGETHER - now))
    const ask = () => {
      // A question that came after the timer has set another, which would cut a later turn short.
      clearTimeout(this.#gathering?.timer)
      this.#gathering = undefined
      this.#park()
    }
    // Once more after what has arrived by then, of which a busy process has not heard yet.
    this.#gathering.timer = setTimeout(() => setImmediate(ask), left)
  }

  #park(): void {
    const attending = this.#attending
    if (attending === undefined || !this.#asks || this.signal.aborted) return
    const asks = this.#questions?.all() ?? {}
    let state: string
    try {
      // A later request of the client may have declared less.
      if (attending.later) refuseUndeclared(asks, attending.link.capabilities)
      state = this.#yard.park(this)
    } catch (error) {
      this.#questions?.fail(error as Error)
      this.#yard.leave(this)
      return
    }
    this.#state = state
    this.#since = performance.now()
    this.#attending = undefined
    attending.ask({ asks, state })
  }

  /** The client is told how the call ended. */
  #end(outcome: Outcome): void {
    if (this.#questions !== undefined) this.#yard.leave(this)
    this.#attending?.end(outcome)
    this.#attending = undefined
  }

  /** The client is told when it comes back. */
  #keep(outcome: Outcome): void {
    const left = this.#since + this.#yard.patience - performance.now()
    this.#outcome = left <= 0 ? undefined : kept(outcome)
    if (this.#outcome === undefined) this.#forget()
    else this.#expiry = setTimeout(() => this.#forget(), left).unref()
  }

  #forget(): void {
    this.#outcome = undefined
    this.#found()
    this.#yard.leave(this)
  }

  /** It is not found again under this id. */
  #found(): void {
    clearTimeout(this.#expiry)
    if (this.#state !== undefined) this.#yard.unpark(this.#state)
    this.#state = undefined
  }

  get #asks(): boolean {
    return this.#questions !== undefined && this.#questions.size > 0
  }
}

/** The requests that `input_required` may answer (2026-07-28, multi round-trip requests). */
const MAY_ASK: ReadonlySet<string | undefined> = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
])

/** Milliseconds from one question to the next; nobody who answers notices. */
const MOMENT = 20

/** Milliseconds from a first question to what is asked, at most. */
const TOGETHER = 200

function gone(): ToolgateError {
  return new ToolgateError('cancelled', 'The client went away.')
}
