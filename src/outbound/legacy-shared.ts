import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, JsonObject, Message } from '../protocol/message.ts'
import {
  errorMessage,
  notificationMessage,
  requestMessage,
  resultMessage,
  withId,
  withMeta,
} from '../protocol/read.ts'
import { LATEST_LEGACY } from '../protocol/versions.ts'
import type { Pipe } from '../runtime/pipe.ts'
import type { Logger } from '../telemetry/log.ts'
import { answerHere, uriOf } from './answer-here.ts'
import type { Asking, Connection, ConnectionEvents, Serving } from './connection.ts'
import { type InitializeResult, readInitialized } from './handshake.ts'
import {
  cancelledByClient,
  cancelledParams,
  idInUse,
  isListChanged,
  progressTokenOf,
  servingOf,
} from './messages.ts'
import { type Pending, Requests } from './requests.ts'
import type { Subscriptions } from './subscriptions.ts'
import { toolLog } from './tool-log.ts'

/**
 * Speaks legacy MCP to a process that many links share. Ids and progress tokens are our own
 * numbers, so that those of the clients never meet; no client capability is offered to the tool.
 */
export class SharedLegacyConnection implements Connection {
  readonly #pipe: Pipe
  readonly #log: Logger
  readonly #events: ConnectionEvents
  readonly #requests: Requests
  /** Our id of each link's open call, by the client's id. */
  readonly #links = new Map<Link, Map<Id, number>>()
  readonly #subscriptions: Subscriptions
  readonly #toolLog: (params: JsonObject) => void
  #lastRequest: string | undefined
  #initialized: InitializeResult | undefined

  /** `subscriptions` outlive this process: the next one takes them over. */
  constructor(pipe: Pipe, log: Logger, events: ConnectionEvents, subscriptions: Subscriptions) {
    this.#pipe = pipe
    this.#requests = new Requests(pipe)
    this.#log = log
    this.#events = events
    this.#subscriptions = subscriptions
    this.#toolLog = toolLog(log)
    pipe.read((message) => this.#receive(message))
    void pipe.closed.then(({ reason }) => {
      const error = new ToolgateError('tool_gone', `The tool is gone: ${reason}.`)
      for (const id of this.#requests.ids()) this.#settle(id)?.reject(error)
    })
  }

  /** What the process said at initialize. Throws when `handshake` has not been done. */
  get initialized(): InitializeResult {
    if (this.#initialized === undefined) throw new Error('no handshake yet')
    return this.#initialized
  }

  /** The handshake, supplied by us. Rejects with `tool_gone` or what the tool refused it with. */
  async handshake(version: string): Promise<InitializeResult> {
    const clientInfo = { name: 'toolgate', version }
    const params = { protocolVersion: LATEST_LEGACY, capabilities: {}, clientInfo }
    const write = (id: number) => requestMessage(id, 'initialize', params).bytes
    const answer = await this.#requests.send(write)
    this.#initialized = readInitialized(answer)
    this.#pipe.send(notificationMessage('notifications/initialized').bytes)
    return this.#initialized
  }

  /** A request of our own. Rejects with `timeout` after `milliseconds`, or `tool_gone`. */
  ask(method: string, params: JsonObject, milliseconds: number): Promise<Message> {
    return this.#requests.ask(method, params, milliseconds)
  }

  /** Subscribes the process to what its predecessor was subscribed to. */
  resubscribe(): void {
    for (const uri of this.#subscriptions.uris()) this.#quietly('resources/subscribe', uri)
  }

  /** Resolves when no call is open, or after `milliseconds`. */
  drained(milliseconds: number): Promise<void> {
    return this.#requests.drained(milliseconds)
  }

  attach(link: Link): void {
    if (!this.#links.has(link)) this.#links.set(link, new Map())
  }

  detach(link: Link, reason: string): void {
    const open = this.#links.get(link)
    if (open === undefined) return
    const error = new ToolgateError('tool_gone', `The session ended: ${reason}.`)
    for (const id of [...open.values()]) this.#giveUp(id, error)
    this.#links.delete(link)
    for (const uri of this.#subscriptions.leave(link)) this.#quietly('resources/unsubscribe', uri)
  }

  async call(call: Call): Promise<Message> {
    const { request, link } = call
    const open = this.#links.get(link)
    if (request.id === undefined || open === undefined) {
      throw new ToolgateError('bad_request', 'A call needs an id and an open link.')
    }
    if (open.has(request.id)) throw idInUse(request.id)
    this.#lastRequest = call.trace.requestId
    return answerHere(call, this.initialized, this.#subscriptions) ?? this.#pass(call, open)
  }

  tell(link: Link, message: Message): void {
    const open = this.#links.get(link)
    if (message.method === 'notifications/cancelled') {
      const id = open?.get(cancelledParams(message).requestId as Id)
      if (id !== undefined) this.#giveUp(id, cancelledByClient())
    }
    // The rest (initialized, roots, answers to questions that are never asked) ends here.
  }

  cancel(call: Call, reason: Error): void {
    const id = this.#links.get(call.link)?.get(call.request.id as Id)
    if (id !== undefined) this.#giveUp(id, reason)
  }

  /** Gone counts as alive: nothing is left to end. */
  alive(milliseconds: number): Promise<boolean> {
    return this.ask('ping', {}, milliseconds).then(
      () => true,
      (error: ToolgateError) => error.code === 'tool_gone',
    )
  }

  serving(): Serving | undefined {
    return servingOf(this.#requests.calls(), this.#lastRequest)
  }

  asking(): Asking {
    return { total: 0, open: undefined }
  }

  async #pass(call: Call, open: Map<Id, number>): Promise<Message> {
    const clientId = call.request.id as Id
    const token = progressTokenOf(call.request)
    const answer = await this.#requests.send(
      (id) => renumbered(call.request, id, token !== undefined),
      { call, token },
      (id) => open.set(clientId, id),
    )
    if (answer.kind === 'error' && call.request.method === 'resources/subscribe') {
      this.#subscriptions.part(call.link, uriOf(call.request))
    }
    return withId(answer, clientId)
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'result':
      case 'error': {
        const pending = this.#settle(message.id)
        if (pending !== undefined) pending.resolve(message)
        else this.#log.debug({ id: message.id }, 'response without a call skipped')
        break
      }
      case 'request':
        this.#refuse(message)
        break
      case 'notification':
        this.#notification(message)
    }
  }

  /** No capability was offered, so only a ping is answered. */
  #refuse({ id, method }: Message): void {
    const answer =
      method === 'ping'
        ? resultMessage(id as Id, {})
        : errorMessage(id as Id, -32601, 'This instance is shared: no client can be asked.')
    try {
      this.#pipe.send(answer.bytes)
    } catch {
      // It is ending; its calls are told so.
    }
  }

  #notification(message: Message): void {
    const params = (message.json().params as JsonObject | undefined) ?? {}
    if (message.method === 'notifications/progress') {
      const pending = this.#requests.get(params.progressToken)
      const { call, token } = pending ?? {}
      if (call === undefined || token === undefined) return
      const { method } = message
      call.notify(notificationMessage(method, { ...params, progressToken: token }))
    } else if (message.method === 'notifications/resources/updated') {
      if (typeof params.uri !== 'string') return
      for (const link of this.#subscriptions.of(params.uri)) link.deliver(message)
    } else if (isListChanged(message)) {
      this.#events.listChanged()
      for (const link of this.#links.keys()) link.deliver(message)
    } else if (message.method === 'notifications/message') {
      // It says nothing of whose call it belongs to, so no client may see it.
      this.#toolLog(params)
    }
  }

  #giveUp(id: number, reason: Error): void {
    const pending = this.#settle(id)
    if (pending === undefined) return
    pending.reject(reason)
    try {
      const params = { requestId: id, reason: reason.message }
      this.#pipe.send(notificationMessage('notifications/cancelled', params).bytes)
    } catch {
      // It is gone or reads nothing: `alive` finds out which.
    }
  }

  #settle(id: unknown): Pending | undefined {
    const pending = this.#requests.settle(id)
    if (pending?.call !== undefined) {
      this.#links.get(pending.call.link)?.delete(pending.call.request.id as Id)
    }
    return pending
  }

  #quietly(method: string, uri: string): void {
    this.ask(method, { uri }, QUIET).catch(() => {})
  }
}

/** Milliseconds for what nobody waits for. */
const QUIET = 30_000

/** The request under our id and, where it asks for progress, our token: the same number. */
function renumbered(request: Message, id: number, progress: boolean): Uint8Array {
  const own = withId(request, id)
  return (progress ? withMeta(own, { progressToken: id }) : own).bytes
}
