import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import { isLogLevel } from '../../protocol/log-level.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { errorMessage, resultMessage } from '../../protocol/read.ts'
import type { Subscribed, Subscriptions } from '../subscriptions.ts'
import { uriOf } from '../uri.ts'
import type { Calls } from './calls.ts'
import type { DiscoverResult } from './discover.ts'
import { legacyServer } from './legacy-server.ts'
import { LISTEN } from './listens.ts'
import type { OpenCall } from './open-call.ts'
import type { OwnListen } from './own-listen.ts'
import { modernRequest } from './request.ts'
import { inRounds } from './rounds.ts'

export interface LegacyCallsParts {
  readonly calls: Calls
  readonly listen: OwnListen
  readonly subscriptions: Subscriptions
  /** This process, as others of the same clients know it. */
  readonly subscribed: Subscribed
  readonly discovered: DiscoverResult
  /** For clients that do not say who they are. */
  readonly clientInfo: JsonObject
  /** All links of the process are of one caller. */
  readonly private: boolean
}

/** The calls of legacy clients: what the modern era has no request for is answered here. */
export class LegacyCalls {
  readonly #parts: LegacyCallsParts

  constructor(parts: LegacyCallsParts) {
    this.#parts = parts
  }

  /** Rejects with what ends the call. */
  async answer(open: OpenCall): Promise<Message> {
    const { request, link } = open.call
    const id = request.id as Id
    const { discovered } = this.#parts
    switch (request.method) {
      case 'initialize':
        return resultMessage(id, legacyServer(discovered, request, link.tool.name))
      case 'ping':
        return resultMessage(id, {})
      case 'logging/setLevel':
        return leveled(request)
      case 'resources/subscribe':
        return this.#subscribe(open)
      case 'resources/unsubscribe':
        this.#unsubscribe(link, uriOf(request))
        return resultMessage(id, {})
      case LISTEN:
      case 'server/discover':
        return errorMessage(id, -32601, 'There is no such method in this version of MCP.')
      default:
        return this.#pass(open)
    }
  }

  #pass(open: OpenCall): Promise<Message> {
    const { calls, clientInfo } = this.#parts
    const request = modernRequest(open.call, clientInfo, this.#levelOf(open.call.link))
    return inRounds(open, request, (next) => calls.send(open, next))
  }

  /** A session is told what it wants to know; logs of a shared process are nobody's. */
  #levelOf({ kind, logLevel }: Link): string | undefined {
    const { private: own, discovered } = this.#parts
    if (!own) return undefined
    const offered = kind === 'session' && isObject(discovered.capabilities.logging)
    return logLevel ?? (offered ? DEFAULT_LEVEL : undefined)
  }

  async #subscribe(open: OpenCall): Promise<Message> {
    const { listen, subscriptions, subscribed, discovered } = this.#parts
    const { link, request } = open.call
    const id = request.id as Id
    const uri = uriOf(request)
    const { resources } = discovered.capabilities
    if (!isObject(resources) || resources.subscribe !== true) {
      return errorMessage(id, -32601, 'The tool does not tell when its resources change.')
    }
    const before = new Set(subscriptions.of(uri)).has(link)
    const first = subscriptions.join(link, uri)
    try {
      await open.wait(listen.refresh())
      if (first) subscriptions.tellOthers(subscribed, 'resources/subscribe', uri)
      if (listen.grants(uri)) return resultMessage(id, {})
      const what = 'The tool does not tell when this resource changes.'
      throw new ToolgateError('invalid_params', what)
    } catch (error) {
      if (!before) this.#unsubscribe(link, uri)
      throw error
    }
  }

  #unsubscribe(link: Link, uri: string): void {
    const { listen, subscriptions, subscribed } = this.#parts
    if (!subscriptions.part(link, uri)) return
    listen.refreshQuietly()
    subscriptions.tellOthers(subscribed, 'resources/unsubscribe', uri)
  }
}

const DEFAULT_LEVEL = 'info'

/** The level itself is kept with the link. */
function leveled(request: Message): Message {
  const id = request.id as Id
  const { params } = request.json()
  if (isObject(params) && isLogLevel(params.level)) return resultMessage(id, {})
  return errorMessage(id, -32602, 'There is no such log level.')
}
