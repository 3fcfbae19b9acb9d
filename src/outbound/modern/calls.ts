import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { notificationMessage, withId, withMeta } from '../../protocol/read.ts'
import type { Pipe } from '../../runtime/pipe.ts'
import type { Serving } from '../connection.ts'
import { idInUse, servingOf } from '../messages.ts'
import { type Pending, Requests } from '../requests.ts'
import { Drain } from './drain.ts'
import { goodbye, LISTEN } from './listens.ts'
import { OpenCall } from './open-call.ts'

/** The links of a process, their open calls, and the requests that the tool has. */
export class Calls {
  readonly requests: Requests
  readonly #pipe: Pipe
  readonly #links = new Map<Link, Map<Id, OpenCall>>()
  readonly #drain = new Drain()
  /** Our ids of requests that want logs. */
  readonly #logging = new Set<unknown>()
  #lastRequest: string | undefined

  constructor(pipe: Pipe) {
    this.#pipe = pipe
    this.requests = new Requests(pipe)
  }

  links(): Iterable<Link> {
    return this.#links.keys()
  }

  /** The link that has the process for itself. */
  get onlyLink(): Link | undefined {
    return this.#links.size === 1 ? this.#links.keys().next().value : undefined
  }

  /** The only call whose client wants logs. */
  get onlyLogging(): Call | undefined {
    if (this.#logging.size !== 1) return undefined
    return this.requests.get(this.#logging.values().next().value)?.call
  }

  attach(link: Link): void {
    if (!this.#links.has(link)) this.#links.set(link, new Map())
  }

  /** False: it was not attached. */
  detach(link: Link, reason: string): boolean {
    const calls = this.#links.get(link)
    if (calls === undefined) return false
    for (const open of [...calls.values()]) {
      this.giveUp(open, new ToolgateError('tool_gone', `The session ended: ${reason}.`))
    }
    return this.#links.delete(link)
  }

  /** Throws `bad_request`, `conflict`. */
  open(call: Call): OpenCall {
    const { link, request, trace } = call
    const calls = this.#links.get(link)
    if (request.id === undefined || calls === undefined) {
      throw new ToolgateError('bad_request', 'A call needs an id and an open link.')
    }
    if (calls.has(request.id)) throw idInUse(request.id)
    const open = new OpenCall(call)
    calls.set(request.id, open)
    if (request.method !== LISTEN) {
      this.#drain.begin()
      this.#lastRequest = trace.requestId
    }
    return open
  }

  find(link: Link, id: unknown): OpenCall | undefined {
    return this.#links.get(link)?.get(id as Id)
  }

  close(open: OpenCall): void {
    const { link, request } = open.call
    const calls = this.#links.get(link)
    if (calls?.get(request.id as Id) !== open) return
    calls.delete(request.id as Id)
    if (request.method !== LISTEN) this.#drain.end()
  }

  /** Sends the tool a request of this call under an id and a progress token of ours. */
  send(open: OpenCall, request: Message): Promise<Message> {
    // It may be given up in the very turn in which its client has answered.
    if (open.reason !== undefined) return Promise.reject(open.reason)
    const { token, logs } = wishesOf(request)
    return this.requests.send(
      (id) => {
        const own = withId(request, id)
        return (token === undefined ? own : withMeta(own, { progressToken: id })).bytes
      },
      { call: open.call, token },
      (id) => {
        open.id = id
        if (logs) this.#logging.add(id)
      },
    )
  }

  /** Takes a request out; whoever does is the one to resolve or reject it. */
  settle(id: unknown): Pending | undefined {
    if (this.#logging.size > 0) this.#logging.delete(id)
    return this.requests.settle(id)
  }

  /** Ends a call: the tool is told so where it has a request of it. */
  giveUp(open: OpenCall, reason: Error): void {
    if (this.#end(open, reason)) this.cancel(open.id as number, reason.message)
  }

  /** Tells the tool that nobody waits for its answer any more. */
  cancel(requestId: number, reason: string): void {
    try {
      this.#pipe.send(notificationMessage('notifications/cancelled', { requestId, reason }).bytes)
    } catch {
      // It is gone or reads nothing: `alive` finds out which.
    }
  }

  /** The tool is gone; `unexpected`: not because we ended it. What only listened has no error then. */
  gone(error: Error, unexpected: boolean): void {
    if (!unexpected) this.#sayGoodbye()
    for (const calls of this.#links.values()) {
      for (const open of [...calls.values()]) this.#end(open, error)
    }
    for (const id of this.requests.ids()) this.settle(id)?.reject(error)
  }

  serving(): Serving | undefined {
    const calls = this.requests.calls().filter(({ request }) => request.method !== LISTEN)
    return servingOf(calls, this.#lastRequest)
  }

  /** Resolves when no call but listens is open, or after `milliseconds`. */
  drained(milliseconds: number): Promise<void> {
    return this.#drain.drained(milliseconds)
  }

  #sayGoodbye(): void {
    for (const id of this.requests.ids()) {
      if (this.requests.get(id)?.call?.request.method !== LISTEN) continue
      this.settle(id)?.resolve(goodbye(id))
    }
  }

  /** True where the tool had a request of it. */
  #end(open: OpenCall, reason: Error): boolean {
    this.close(open)
    open.giveUp(reason)
    const pending = open.id === undefined ? undefined : this.settle(open.id)
    pending?.reject(reason)
    return pending !== undefined
  }
}

/** What the request asks to be told meanwhile. */
function wishesOf(request: Message): { token: Id | undefined; logs: boolean } {
  const { params } = request.json()
  const meta = isObject(params) && isObject(params._meta) ? params._meta : {}
  const { progressToken: token, [META.logLevel]: level } = meta
  const known = typeof token === 'string' || typeof token === 'number'
  return { token: known ? token : undefined, logs: typeof level === 'string' }
}
