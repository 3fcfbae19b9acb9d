import type { Link } from '../../call/link.ts'
import { withParams } from '../../protocol/edited.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { withMeta } from '../../protocol/read.ts'
import type { Logger } from '../../telemetry/log.ts'
import { toolLog } from '../tool-log.ts'
import type { Calls } from './calls.ts'
import { goodbye, LISTEN } from './listens.ts'
import type { OwnListen } from './own-listen.ts'

export interface NotificationsParts {
  readonly calls: Calls
  readonly listen: OwnListen
  readonly log: Logger
  /** All links of the process are of one caller. */
  readonly private: boolean
}

/** Finds the one that a notification of the tool is for. */
export class Notifications {
  readonly #parts: NotificationsParts
  readonly #toolLog: (params: JsonObject) => void

  constructor(parts: NotificationsParts) {
    this.#parts = parts
    this.#toolLog = toolLog(parts.log)
  }

  receive(message: Message): void {
    const { params: given } = message.json()
    const params = isObject(given) ? given : {}
    const meta = isObject(params._meta) ? params._meta : {}
    const { [META.subscriptionId]: subscription } = meta
    if (message.method === 'notifications/cancelled') this.#listenEnded(params.requestId)
    else if (message.method === 'notifications/message') this.#logged(message, params)
    else if (subscription !== undefined) this.#listened(message, subscription)
    else if (params.progressToken !== undefined) this.#progressed(message, params.progressToken)
    else this.#skip(message)
  }

  #progressed(message: Message, ours: unknown): void {
    const { call, token } = this.#parts.calls.requests.get(ours) ?? {}
    if (call === undefined || token === undefined) this.#skip(message)
    else call.notify(withParams(message, (params) => ({ ...params, progressToken: token })))
  }

  #listened(message: Message, ours: unknown): void {
    const { calls, listen } = this.#parts
    const call = calls.requests.get(ours)?.call
    if (listen.has(ours)) listen.hear(ours, message)
    else if (call?.request.method !== LISTEN) this.#skip(message)
    else call.notify(withMeta(message, { [META.subscriptionId]: call.request.id }))
  }

  /** A tool may end a listen in this way; nothing else is its to cancel. */
  #listenEnded(id: unknown): void {
    const { calls, listen } = this.#parts
    const method = calls.requests.get(id)?.call?.request.method
    if (!listen.has(id) && method !== LISTEN) return
    calls.settle(id)?.resolve(goodbye(id as Id))
  }

  /** It says nothing of whose call it belongs to: only where there is no doubt, a client sees it. */
  #logged(message: Message, params: JsonObject): void {
    const { calls, private: own } = this.#parts
    const call = own ? calls.onlyLogging : undefined
    const link = own ? calls.onlyLink : undefined
    if (call !== undefined) call.notify(message)
    else if (link !== undefined && isLegacySession(link)) link.deliver(message)
    else this.#toolLog(params)
  }

  #skip({ method }: Message): void {
    this.#parts.log.debug({ method: method?.slice(0, 128) }, 'notification for nobody skipped')
  }
}

function isLegacySession({ era, kind }: Link): boolean {
  return era === 'legacy' && kind === 'session'
}
