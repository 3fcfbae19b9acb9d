import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, JsonObject, Message } from '../protocol/message.ts'
import { notificationMessage, requestMessage } from '../protocol/read.ts'
import { LATEST_LEGACY } from '../protocol/versions.ts'
import type { Pipe } from '../runtime/pipe.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Asking, ConnectionEvents, Serving, SharedConnection } from './connection.ts'
import { type InitializeResult, readInitialized } from './handshake.ts'
import { Answers } from './legacy/answer.ts'
import { answerHere } from './legacy/answer-here.ts'
import type { SharedHow } from './legacy/how.ts'
import { Listens } from './legacy/listens.ts'
import { Logs } from './legacy/logs.ts'
import { type NewsParts, spread } from './legacy/news.ts'
import { Questions } from './legacy/questions.ts'
import { legacyRequest, offered } from './legacy/request.ts'
import { openUrls } from './legacy/url-elicitation.ts'
import { Whose } from './legacy/whose.ts'
import {
  cancelledByClient,
  cancelledParams,
  idInUse,
  progressTokenOf,
  servingOf,
} from './messages.ts'
import { type Pending, Requests } from './requests.ts'
import type { Subscriptions } from './subscriptions.ts'
import { uriOf } from './uri.ts'

/**
 * Speaks legacy MCP to a process that many links share, of either era. Ids and progress tokens are
 * our own numbers, so that those of the clients never meet.
 */
export class SharedLegacyConnection implements SharedConnection {
  readonly #pipe: Pipe
  readonly #log: Logger
  readonly #how: SharedHow
  readonly #requests: Requests
  /** Our id of each link's open call, by the client's id. */
  readonly #links = new Map<Link, Map<Id, number>>()
  /** Our ids of calls that were given up, where it matters which call the tool speaks about. */
  readonly #owed = new Set<unknown>()
  readonly #subscriptions: Subscriptions
  readonly #logs: Logs
  readonly #questions: Questions
  readonly #listens: Listens
  readonly #news: NewsParts
  #answers = new Answers(undefined)
  #lastRequest: string | undefined
  #initialized: InitializeResult | undefined

  /** `subscriptions` outlive this process: the next one takes them over. */
  constructor(
    pipe: Pipe,
    log: Logger,
    events: ConnectionEvents,
    subscriptions: Subscriptions,
    how: SharedHow,
  ) {
    this.#pipe = pipe
    this.#log = log
    this.#how = how
    this.#subscriptions = subscriptions
    const requests = new Requests(pipe)
    const whose = new Whose(how, requests)
    const questions = new Questions(requests, whose, (call, reason) => this.cancel(call, reason))
    const logs = new Logs(how, requests, whose, log)
    const goodbye = (id: Id) => this.#answers.goodbye(id)
    const listens = new Listens(requests, subscriptions, goodbye)
    const links = () => this.#links.keys()
    this.#requests = requests
    this.#logs = logs
    this.#questions = questions
    this.#listens = listens
    this.#news = { events, requests, questions, logs, whose, subscriptions, links }
    pipe.read((message) => this.#receive(message))
    void pipe.closed.then(({ reason, unexpected }) => this.#gone(reason, unexpected))
  }

  /** What the process said at initialize. Throws when `handshake` has not been done. */
  get initialized(): InitializeResult {
    if (this.#initialized === undefined) throw new Error('no handshake yet')
    return this.#initialized
  }

  /** The handshake, supplied by us. Rejects with `tool_gone` or what the tool refused it with. */
  async handshake(version: string): Promise<InitializeResult> {
    const clientInfo = { name: 'toolgate', version }
    const params = {
      protocolVersion: LATEST_LEGACY,
      capabilities: offered(this.#how),
      clientInfo,
    }
    const write = (id: number) => requestMessage(id, 'initialize', params).bytes
    const answer = await this.#requests.send(write)
    this.#initialized = readInitialized(answer)
    this.#answers = new Answers(this.#initialized.serverInfo)
    this.#pipe.send(notificationMessage('notifications/initialized').bytes)
    this.#subscriptions.processes.add(this.#requests)
    return this.#initialized
  }

  ask(method: string, params: JsonObject, milliseconds: number): Promise<Message> {
    return this.#requests.ask(method, params, milliseconds)
  }

  resubscribe(): void {
    for (const uri of this.#subscriptions.uris()) {
      void this.#requests.quietly('resources/subscribe', { uri })
    }
  }

  drained(milliseconds: number): Promise<void> {
    return this.#requests.drained(milliseconds)
  }

  attach(link: Link): void {
    if (!this.#links.has(link)) this.#links.set(link, new Map())
  }

  detach(link: Link, reason: string): void {
    const open = this.#links.get(link)
    if (open === undefined) return
    // A request of its own leaves with nothing open, and an error costs as much as its answer.
    if (open.size + this.#questions.size + this.#listens.size > 0) {
      const error = new ToolgateError('tool_gone', `The session ended: ${reason}.`)
      for (const id of [...open.values()]) this.#giveUp(id, error)
      this.#questions.end(link, error)
      this.#listens.end(link, error)
    }
    this.#links.delete(link)
    for (const uri of this.#subscriptions.leave(link)) {
      void this.#subscriptions.tell(this.#requests, 'resources/unsubscribe', uri)
    }
  }

  async call(call: Call): Promise<Message> {
    const { request, link } = call
    const open = this.#links.get(link)
    if (request.id === undefined || open === undefined) {
      throw new ToolgateError('bad_request', 'A call needs an id and an open link.')
    }
    if (open.has(request.id)) throw idInUse(request.id)
    this.#lastRequest = call.trace.requestId
    if (link.era === 'modern' && request.method === 'subscriptions/listen') {
      return this.#listens.open(call, this.initialized.capabilities)
    }
    return answerHere(call, this.initialized, this.#subscriptions) ?? this.#pass(call, open)
  }

  tell(link: Link, message: Message): void {
    const open = this.#links.get(link)
    if (message.method === 'notifications/cancelled') {
      const id = open?.get(cancelledParams(message).requestId as Id)
      if (id !== undefined) this.#giveUp(id, cancelledByClient())
    }
    // The rest (initialized, roots) is of no use to a process that others share.
  }

  cancel(call: Call, reason: Error): void {
    const id = this.#links.get(call.link)?.get(call.request.id as Id)
    if (id !== undefined) this.#giveUp(id, reason)
    this.#questions.end(call, reason)
    this.#listens.end(call, reason)
  }

  /** Gone counts as alive: nothing is left to end. */
  alive(milliseconds: number): Promise<boolean> {
    return this.ask('ping', {}, milliseconds).then(
      () => true,
      (error: ToolgateError) => error.code === 'tool_gone',
    )
  }

  get owes(): boolean {
    return this.#owed.size > 0
  }

  serving(): Serving | undefined {
    return servingOf(this.#requests.calls(), this.#lastRequest)
  }

  /** What clients are asked here goes through `Call.ask`, and is counted there. */
  asking(): Asking {
    return { total: 0, open: undefined }
  }

  async #pass(call: Call, open: Map<Id, number>): Promise<Message> {
    const send = () => this.#exchange(call, open)
    const answer = await openUrls(call, this.#questions, send)
    const { method } = call.request
    if (method === 'resources/subscribe' || method === 'resources/unsubscribe') {
      this.#subscribed(call, method, answer)
    }
    this.#questions.undeclared.check(call, answer)
    return this.#answers.of(call, answer)
  }

  /** Whichever process of its clients' has the news, they are told. */
  #subscribed({ link, request }: Call, method: string, { kind }: Message): void {
    const uri = uriOf(request)
    const refused = kind === 'error' && method === 'resources/subscribe'
    if (refused) this.#subscriptions.part(link, uri)
    else this.#subscriptions.tellOthers(this.#requests, method, uri)
  }

  /** The tool's answer, under our id, once the client has been asked all that it is asked. */
  async #exchange(call: Call, open: Map<Id, number>): Promise<Message> {
    const { request, link } = call
    const token = progressTokenOf(request)
    this.#logs.begin(link, this.initialized.capabilities)
    const answer = await this.#requests.send(
      (id) => legacyRequest(request, link.era, id, token !== undefined),
      { call, token },
      (id) => {
        open.set(request.id as Id, id)
        this.#questions.begun(call)
      },
    )
    const asking = this.#questions.answered(call)
    if (asking !== undefined) await asking
    return answer
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'result':
      case 'error': {
        const pending = this.#settle(message.id)
        if (pending !== undefined) pending.resolve(message)
        else if (!this.#owed.delete(message.id))
          this.#log.debug({ id: message.id }, 'response without a call skipped')
        break
      }
      case 'request':
        this.#questions.receive(message)
        break
      case 'notification':
        spread(message, this.#news)
    }
  }

  #giveUp(id: number, reason: Error): void {
    const pending = this.#settle(id)
    if (pending === undefined) return
    pending.reject(reason)
    if (this.#how.exclusive) this.#owed.add(id)
    const params = { requestId: id, reason: reason.message }
    this.#requests.tell(notificationMessage('notifications/cancelled', params))
    if (pending.call !== undefined) this.#questions.end(pending.call, reason)
  }

  #settle(id: unknown): Pending | undefined {
    const pending = this.#requests.settle(id)
    if (pending?.call !== undefined) {
      this.#links.get(pending.call.link)?.delete(pending.call.request.id as Id)
    }
    return pending
  }

  #gone(reason: string, unexpected: boolean): void {
    this.#subscriptions.processes.delete(this.#requests)
    const error = new ToolgateError('tool_gone', `The tool is gone: ${reason}.`)
    for (const id of this.#requests.ids()) this.#settle(id)?.reject(error)
    this.#questions.endAll(error)
    this.#listens.endAll(unexpected ? error : undefined)
  }
}
