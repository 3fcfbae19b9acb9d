import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, JsonObject, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import { errorMessage, requestMessage, withId } from '../protocol/read.ts'
import type { Pipe } from '../runtime/pipe.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Asking, ConnectionEvents, Serving, SharedConnection } from './connection.ts'
import { cancelledByClient, cancelledParams, isListChanged } from './messages.ts'
import { Calls } from './modern/calls.ts'
import { type DiscoverResult, ownMeta, readDiscovered } from './modern/discover.ts'
import { fanOut } from './modern/fan-out.ts'
import { type Filter, filterOf } from './modern/filter.ts'
import { Hold } from './modern/hold.ts'
import { LegacyCalls } from './modern/legacy-calls.ts'
import { endOfListen, LISTEN } from './modern/listens.ts'
import { refuseWrongAsk } from './modern/may-ask.ts'
import { Notifications } from './modern/notifications.ts'
import type { OpenCall } from './modern/open-call.ts'
import { OwnListen } from './modern/own-listen.ts'
import type { Subscribed, Subscriptions } from './subscriptions.ts'

export interface ModernOptions {
  /** All links of the process are of one caller. */
  readonly private: boolean
}

/**
 * Speaks MCP 2026-07-28 to a process that many links may share. Ids, progress tokens and
 * subscription ids are our own numbers, so that those of the clients never meet. What a modern
 * client and the tool say to each other is otherwise unchanged; for a legacy client the tool is
 * made a legacy server.
 */
export class ModernConnection implements SharedConnection, Subscribed {
  /** What a modern tool asks, it asks in the answer to the call it is about. */
  readonly owes = false
  readonly #pipe: Pipe
  readonly #log: Logger
  readonly #events: ConnectionEvents
  readonly #subscriptions: Subscriptions
  readonly #options: ModernOptions
  readonly #calls: Calls
  readonly #listen: OwnListen
  readonly #notifications: Notifications
  readonly #hold: Hold
  #meta: JsonObject = {}
  #discovered: DiscoverResult | undefined
  #legacy: LegacyCalls | undefined

  /** `subscriptions` outlive this process: the next one takes them over. */
  constructor(
    pipe: Pipe,
    log: Logger,
    events: ConnectionEvents,
    subscriptions: Subscriptions,
    options: ModernOptions,
  ) {
    this.#pipe = pipe
    this.#log = log
    this.#events = events
    this.#subscriptions = subscriptions
    this.#options = options
    this.#calls = new Calls(pipe)
    this.#listen = new OwnListen({
      wanted: () => filterOf(this.discovered.capabilities, subscriptions.uris()),
      listen: (filter, sent) => this.#listenTo(filter, sent),
      cancel: (id) => this.#endListen(id),
      heard: (message) => this.#heard(message),
      log,
    })
    this.#notifications = new Notifications({
      calls: this.#calls,
      listen: this.#listen,
      log,
      private: options.private,
    })
    this.#hold = new Hold(pipe)
    pipe.read((message) => this.#receive(message))
    void pipe.closed.then(({ reason, unexpected }) => {
      this.#listen.close()
      this.#subscriptions.processes.delete(this)
      const error = new ToolgateError('tool_gone', `The tool is gone: ${reason}.`)
      this.#calls.gone(error, unexpected)
    })
  }

  /** What the process said of itself. Throws when `handshake` has not been done. */
  get discovered(): DiscoverResult {
    if (this.#discovered === undefined) throw new Error('no handshake yet')
    return this.#discovered
  }

  /** Learns what the tool is. Rejects with `tool_failed_to_start`, `tool_misbehaved`, `tool_gone`. */
  async handshake(version: string): Promise<DiscoverResult> {
    this.#meta = ownMeta(version)
    const write = (id: number) => this.#own(id, 'server/discover', {})
    const discovered = readDiscovered(await this.#calls.requests.send(write))
    this.#discovered = discovered
    this.#legacy = new LegacyCalls({
      calls: this.#calls,
      listen: this.#listen,
      subscriptions: this.#subscriptions,
      subscribed: this,
      discovered,
      clientInfo: { name: 'toolgate', version },
      private: this.#options.private,
    })
    this.#subscriptions.processes.add(this)
    this.#listen.refreshQuietly()
    return discovered
  }

  ask(method: string, params: JsonObject, milliseconds: number): Promise<Message> {
    const { _meta: meta } = params
    const _meta = { ...(isObject(meta) && meta), ...this.#meta }
    return this.#calls.requests.ask(method, { ...params, _meta }, milliseconds)
  }

  /** Another process of the same clients was told what they subscribe to. */
  async quietly(): Promise<boolean> {
    this.#listen.refreshQuietly()
    return true
  }

  resubscribe(): void {
    this.#listen.refreshQuietly()
  }

  drained(milliseconds: number): Promise<void> {
    return this.#calls.drained(milliseconds)
  }

  attach(link: Link): void {
    this.#calls.attach(link)
  }

  detach(link: Link, reason: string): void {
    if (!this.#calls.detach(link, reason)) return
    const left = this.#subscriptions.leave(link)
    if (left.length > 0) this.#listen.refreshQuietly()
    for (const uri of left) this.#subscriptions.tellOthers(this, 'resources/unsubscribe', uri)
  }

  async call(call: Call): Promise<Message> {
    const { link, request } = call
    const open = this.#calls.open(call)
    try {
      if (link.era === 'legacy') return await this.#translate(open)
      // One era on both sides: the bytes of the answer are the tool's, but for the id.
      const answer = await this.#calls.send(open, request)
      refuseWrongAsk(call, answer)
      const id = request.id as Id
      return request.method === LISTEN ? endOfListen(answer, id) : withId(answer, id)
    } finally {
      this.#calls.close(open)
    }
  }

  tell(link: Link, message: Message): void {
    if (message.method !== 'notifications/cancelled') return
    // The rest (initialized, roots, answers to questions that are never asked) ends here.
    const open = this.#calls.find(link, cancelledParams(message).requestId)
    if (open !== undefined) this.#calls.giveUp(open, cancelledByClient())
  }

  cancel(call: Call, reason: Error): void {
    const open = this.#calls.find(call.link, call.request.id)
    if (open?.call === call) this.#calls.giveUp(open, reason)
  }

  /** Gone counts as alive: nothing is left to end. Any answer will do. */
  async alive(milliseconds: number): Promise<boolean> {
    if (this.#hold.paused) return true
    return this.ask('server/discover', {}, milliseconds).then(
      () => true,
      (error: ToolgateError) => error.code === 'tool_gone',
    )
  }

  serving(): Serving | undefined {
    return this.#calls.serving()
  }

  /** The time in which a client is asked is counted where it is asked. */
  asking(): Asking {
    return { total: 0, open: undefined }
  }

  #translate(open: OpenCall): Promise<Message> {
    if (this.#legacy === undefined) throw new Error('no handshake yet')
    return this.#legacy.answer(open)
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case 'result':
      case 'error': {
        const pending = this.#calls.settle(message.id)
        if (pending !== undefined) pending.resolve(message)
        else this.#log.debug({ id: message.id }, 'response without a call skipped')
        break
      }
      case 'request':
        this.#refuse(message)
        break
      case 'notification':
        this.#notifications.receive(message)
    }
    // Small answers are bounded by the calls that are open, so only the rest can pile up.
    if (message.kind === 'notification' || message.bytes.length > SMALL) this.#holdBack()
  }

  /** What serves one session alone can wait for its client. */
  #holdBack(): void {
    const link = this.#options.private ? this.#calls.onlyLink : undefined
    if (link?.kind === 'session') this.#hold.look(link)
  }

  /** A modern tool asks in its results. */
  #refuse({ id }: Message): void {
    try {
      const what = 'A server sends no requests in this version of MCP.'
      this.#pipe.send(errorMessage(id as Id, -32601, what).bytes)
    } catch {
      // It is ending; its calls are told so.
    }
  }

  /** What our own listen says. */
  #heard(message: Message): void {
    if (isListChanged(message)) this.#events.listChanged()
    fanOut(message, this.#calls.links(), this.#subscriptions)
  }

  #listenTo(notifications: Filter, sent: (id: number) => void): Promise<Message> {
    const write = (id: number) => this.#own(id, LISTEN, { notifications })
    return this.#calls.requests.send(write, {}, sent)
  }

  #endListen(id: number): void {
    if (this.#calls.settle(id) !== undefined) this.#calls.cancel(id, 'it is no longer needed')
  }

  #own(id: number, method: string, params: JsonObject): Uint8Array {
    return requestMessage(id, method, { ...params, _meta: this.#meta }).bytes
  }
}

const SMALL = 16 * 1024
