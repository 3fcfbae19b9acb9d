import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, JsonObject, Message } from '../protocol/message.ts'
import { errorMessage, notificationMessage, requestMessage, withId } from '../protocol/read.ts'
import type { Pipe } from '../runtime/pipe.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Asking, Connection, ConnectionEvents, Serving } from './connection.ts'
import {
  cancelledByClient,
  cancelledParams,
  idInUse,
  isListChanged,
  progressTokenOf,
  servingOf,
} from './messages.ts'

interface Pending {
  readonly call: Call
  readonly resolve: (message: Message) => void
  readonly reject: (error: Error) => void
  readonly token: Id | undefined
}

/**
 * Speaks legacy MCP to a process that belongs to one session: ids, tokens and bytes are the
 * client's own, in both directions, so that nothing the two say to each other is changed.
 */
export class LegacyConnection implements Connection {
  readonly #pipe: Pipe
  readonly #log: Logger
  readonly #events: ConnectionEvents
  readonly #pending = new Map<Id, Pending>()
  readonly #tokens = new Map<Id, Pending>()
  /** Open questions of the tool to the client. */
  readonly #asked = new Set<Id>()
  readonly #pings = new Map<Id, () => void>()
  #link: Link | undefined
  #lastRequest: string | undefined
  #greeting: Message | undefined
  #askedFor = 0
  #askingSince = 0
  #pingCount = 0
  #held = false
  #paused = false

  /** `greeting`: what the process has answered to its client's initialize already. */
  constructor(pipe: Pipe, log: Logger, events: ConnectionEvents, greeting?: Message) {
    this.#pipe = pipe
    this.#log = log
    this.#events = events
    this.#greeting = greeting
    void pipe.closed.then(({ reason }) => this.#gone(reason))
  }

  /** From now on it is read: what it said before its session was there is said to that. */
  attach(link: Link): void {
    this.#link = link
    this.#pipe.read((message) => this.#receive(message))
  }

  detach(_link: Link, reason: string): void {
    this.#link = undefined
    this.#gone(`its session ended, ${reason}`)
  }

  call(call: Call): Promise<Message> {
    const { id, bytes } = call.request
    if (id === undefined) return Promise.reject(new ToolgateError('bad_request', 'No id.'))
    if (this.#pending.has(id) || this.#pings.has(id)) {
      return Promise.reject(idInUse(id))
    }
    const greeting = this.#greeting
    if (greeting !== undefined && call.request.method === 'initialize') {
      this.#greeting = undefined
      return Promise.resolve(withId(greeting, id))
    }
    return new Promise((resolve, reject) => {
      const token = progressTokenOf(call.request)
      const pending = { call, resolve, reject, token }
      this.#pipe.send(bytes)
      this.#pending.set(id, pending)
      this.#lastRequest = call.trace.requestId
      if (token !== undefined) this.#tokens.set(token, pending)
    })
  }

  tell(_link: Link, message: Message): void {
    if (message.id !== undefined) this.#answered(message.id)
    if (message.method === 'notifications/cancelled') {
      const pending = this.#pending.get(cancelledParams(message).requestId as Id)
      if (pending !== undefined) this.#drop(pending, cancelledByClient())
    }
    this.#pipe.send(message.bytes)
  }

  cancel(call: Call, reason: Error): void {
    const pending = this.#pending.get(call.request.id as Id)
    if (pending?.call !== call) return
    this.#drop(pending, reason)
    const params = { requestId: call.request.id, reason: reason.message }
    try {
      this.#pipe.send(notificationMessage('notifications/cancelled', params).bytes)
    } catch {
      // It is gone or reads nothing: `alive` finds out which.
    }
  }

  alive(milliseconds: number): Promise<boolean> {
    // We do not read it while its client reads too slowly, so its silence says nothing.
    if (this.#paused) return Promise.resolve(true)
    const id = `toolgate:ping:${++this.#pingCount}`
    return new Promise((resolve) => {
      const done = (alive: boolean) => {
        clearTimeout(timer)
        this.#pings.delete(id)
        resolve(alive)
      }
      const timer = setTimeout(done, milliseconds, false)
      this.#pings.set(id, () => done(true))
      try {
        this.#pipe.send(requestMessage(id, 'ping').bytes)
      } catch {
        done(false)
      }
    })
  }

  serving(): Serving | undefined {
    return servingOf(
      [...this.#pending.values()].map(({ call }) => call),
      this.#lastRequest,
    )
  }

  asking(): Asking {
    const open = this.#asked.size === 0 ? undefined : performance.now() - this.#askingSince
    return { total: this.#askedFor + (open ?? 0), open }
  }

  #receive(message: Message): void {
    const answer = message.kind === 'result' || message.kind === 'error'
    if (answer) this.#response(message)
    else if (message.method === 'notifications/progress') this.#progress(message)
    else this.#deliver(message)
    // Small answers are bounded by the calls that are open, so only the rest can pile up.
    if (!answer || message.bytes.length > SMALL) this.#hold()
  }

  #response(message: Message): void {
    const id = message.id as Id
    const pending = this.#pending.get(id)
    if (pending !== undefined) {
      this.#forget(pending)
      pending.resolve(message)
      return
    }
    const ping = this.#pings.get(id)
    if (ping !== undefined) ping()
    else this.#log.debug({ id }, 'response without a call skipped')
  }

  #progress(message: Message): void {
    const token = (message.json().params as JsonObject | undefined)?.progressToken as Id
    const pending = this.#tokens.get(token)
    if (pending !== undefined) pending.call.notify(message)
    else this.#log.debug({}, 'progress without a call skipped')
  }

  #deliver(message: Message): void {
    const link = this.#link
    if (link === undefined) return
    if (message.kind === 'request') {
      if (!this.#asks(message.id as Id)) return
    } else if (message.method === 'notifications/cancelled') {
      this.#answered(cancelledParams(message).requestId as Id)
    }
    if (isListChanged(message)) this.#events.listChanged()
    link.deliver(message)
  }

  /** False for a question too many: the tool is told so, and its client never sees it. */
  #asks(id: Id): boolean {
    if (typeof id === 'string' && id.length > LONGEST_ID) return false
    if (this.#asked.size >= MOST_QUESTIONS) {
      this.#pipe.send(errorMessage(id, -32600, 'Too many requests are open.').bytes)
      return false
    }
    if (this.#asked.size === 0) this.#askingSince = performance.now()
    this.#asked.add(id)
    return true
  }

  /** Overlapping questions count once: from the first that opens to the last that closes. */
  #answered(id: Id): void {
    if (!this.#asked.delete(id) || this.#asked.size > 0) return
    this.#askedFor += performance.now() - this.#askingSince
  }

  /** A slow client makes its tool wait; the answers of a turn are written before this looks. */
  #hold(): void {
    if (this.#held) return
    this.#held = true
    setImmediate(() => {
      this.#held = false
      const pressure = this.#link?.pressure()
      if (pressure === undefined) return
      this.#held = this.#paused = true
      this.#pipe.pause()
      void pressure.then(() => {
        this.#held = this.#paused = false
        this.#pipe.resume()
      })
    })
  }

  #drop(pending: Pending, reason: Error): void {
    this.#forget(pending)
    pending.reject(reason)
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending.call.request.id as Id)
    if (pending.token !== undefined && this.#tokens.get(pending.token) === pending) {
      this.#tokens.delete(pending.token)
    }
    // A question that outlives every call must not lend its time to the next one.
    if (this.#pending.size === 0 && this.#asked.size > 0) {
      this.#asked.clear()
      this.#askedFor += performance.now() - this.#askingSince
    }
  }

  #gone(reason: string): void {
    for (const pending of [...this.#pending.values()]) {
      this.#drop(pending, new ToolgateError('tool_gone', `The tool is gone: ${reason}.`))
    }
    for (const ping of [...this.#pings.values()]) ping()
  }
}

const SMALL = 16 * 1024
const MOST_QUESTIONS = 256
const LONGEST_ID = 256
