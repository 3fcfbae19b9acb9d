import { randomUUID } from 'node:crypto'
import type { Call, CallTrace } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { notificationMessage, requestMessage } from '../../protocol/read.ts'
import type { Declaration } from '../../tool/declaration.ts'
import type { Directory } from './directory.ts'
import { type Listener, ToolLink } from './tool-link.ts'

export interface LinksParts {
  /** The waist, where each tool is a tool. */
  readonly dispatch: Dispatch
  /** Counts this session of all tools as one of the tool; what it returns ends that. Throws `unavailable`. */
  holdSession(tool: string, session: Link): () => void
}

/** One link of the session's to a version of a tool, open or just being opened. */
interface Entry {
  readonly version: string
  readonly link: Promise<ToolLink>
}

/**
 * The links of one legacy session to the tools it has used: each is opened at its first use, with
 * a handshake supplied in the client's words, and ends with its process or the session.
 */
export class SessionLinks {
  readonly #parts: LinksParts
  readonly #outer: Link
  readonly #listener: Listener
  readonly #entries = new Map<string, Entry>()
  readonly #links = new Map<ToolLink, () => void>()
  readonly #subscribed = new Map<string, Set<string>>()
  readonly #ids = `toolgate:${randomUUID()}:`
  #lastId = 0
  #closed = false
  #hello: JsonObject = {}
  #level: string | undefined

  constructor(parts: LinksParts, outer: Link, listener: Listener) {
    this.#parts = parts
    this.#outer = outer
    this.#listener = listener
  }

  /** `hello`: the params of the handshake with each tool. */
  introduce(hello: JsonObject): void {
    this.#hello = hello
  }

  get open(): Iterable<ToolLink> {
    return this.#links.keys()
  }

  /** The link to a tool, in the version that it has now. Rejects with what is in the way. */
  async take(tool: Declaration, directory: Directory, trace: CallTrace): Promise<ToolLink> {
    for (let tries = 0; ; tries += 1) {
      const link = await this.#entry(tool, directory, trace).link
      // Its process may have ended since; once more is enough for all but one that keeps failing.
      if (!link.over || tries > 0) return link
    }
  }

  /** A call on the link is over. */
  give(link: ToolLink, call: Call): void {
    link.calls.delete(call)
    this.#retire(link)
  }

  /** A request of our own. Rejects as `Dispatch.call` does. */
  ask(link: ToolLink, method: string, params: JsonObject, trace: CallTrace): Promise<Message> {
    const request = requestMessage(`${this.#ids}${++this.#lastId}`, method, params)
    return this.#parts.dispatch.call({ link, request, trace, notify: () => {} })
  }

  /** The least severe level of logs, for all tools, and for those that are opened later. */
  setLevel(level: string, trace: CallTrace): void {
    this.#level = level
    for (const link of this.#links.keys()) {
      link.logLevel = level
      if (link.ready) this.#tellLevel(link, trace)
    }
  }

  /** The client has subscribed to a resource, and stays so when its tool comes back. */
  subscribe(tool: string, uri: string): void {
    const uris = this.#subscribed.get(tool) ?? new Set()
    if (uris.size < MOST_SUBSCRIPTIONS) this.#subscribed.set(tool, uris.add(uri))
  }

  unsubscribe(tool: string, uri: string): void {
    this.#subscribed.get(tool)?.delete(uri)
  }

  /** Ends those to tools that are not there any more, once they are not used. */
  keep(directory: Directory): void {
    for (const name of [...this.#entries.keys()]) {
      if (directory.tool(name) === undefined) this.#entries.delete(name)
    }
    for (const link of [...this.#links.keys()]) this.#retire(link)
  }

  /** Ends one; safe to call again. */
  end(link: ToolLink, reason: string): void {
    link.over = true
    const release = this.#links.get(link)
    if (release === undefined) return
    this.#links.delete(link)
    const entry = this.#entries.get(link.tool.name)
    if (entry?.version === link.tool.version) this.#entries.delete(link.tool.name)
    this.#parts.dispatch.close(link, reason)
    release()
    this.#listener.ended?.(link, reason)
  }

  /** Ends all of them; none is opened any more. */
  close(reason: string): void {
    this.#closed = true
    for (const link of [...this.#links.keys()]) this.end(link, reason)
  }

  #entry(tool: Declaration, directory: Directory, trace: CallTrace): Entry {
    const known = this.#entries.get(tool.name)
    if (known?.version === tool.version) return known
    const entry = { version: tool.version, link: this.#start(tool, directory, trace) }
    this.#entries.set(tool.name, entry)
    entry.link.catch(() => {
      if (this.#entries.get(tool.name) === entry) this.#entries.delete(tool.name)
    })
    // The version before goes on for the calls that it has.
    for (const link of [...this.#links.keys()]) this.#retire(link)
    return entry
  }

  /** Ends a link to what is an older version now, or gone, and is not used any more. */
  #retire(link: ToolLink): void {
    if (this.#entries.get(link.tool.name)?.version === link.tool.version) return
    if (link.ready && link.calls.size === 0) this.end(link, 'its version is no longer served')
  }

  async #start(tool: Declaration, directory: Directory, trace: CallTrace): Promise<ToolLink> {
    // Whoever calls may have waited for the tool while the session ended.
    if (this.#closed) throw new ToolgateError('unknown_session', 'The session has ended.')
    const { dispatch, holdSession } = this.#parts
    const release = holdSession(tool.name, this.#outer)
    const references = directory.references(tool.name)
    const hello = requestMessage(0, 'initialize', this.#hello)
    const link = new ToolLink(this.#outer, tool, references, this.#listener, hello)
    this.#links.set(link, release)
    try {
      await dispatch.open(link)
      // It may have ended before there was a lease to give back.
      if (link.over) dispatch.close(link, 'it ended while its tool was starting')
      await this.#greet(link, trace)
      link.ready = true
      return link
    } catch (thrown) {
      this.end(link, 'it could not be opened')
      throw thrown
    }
  }

  async #greet(link: ToolLink, trace: CallTrace): Promise<void> {
    const answer = await this.ask(link, 'initialize', this.#hello, trace)
    const { result, error } = answer.json()
    if (answer.kind === 'error') {
      const why = isObject(error) ? String(error.message) : 'no reason given'
      const message = `The tool "${link.tool.name}" refused to initialize: ${why}.`
      throw new ToolgateError('tool_failed_to_start', message)
    }
    if (isObject(result) && isObject(result.capabilities)) link.offers = result.capabilities
    this.#parts.dispatch.tell(link, notificationMessage('notifications/initialized'))
    if (this.#level !== undefined) link.logLevel = this.#level
    this.#tellLevel(link, trace)
    for (const uri of this.#subscribed.get(link.tool.name) ?? []) {
      this.ask(link, 'resources/subscribe', { uri }, trace).catch(() => {})
    }
  }

  #tellLevel(link: ToolLink, trace: CallTrace): void {
    if (this.#level === undefined || !('logging' in link.offers)) return
    this.ask(link, 'logging/setLevel', { level: this.#level }, trace).catch(() => {})
  }
}

/** Of one tool, for one session. */
const MOST_SUBSCRIPTIONS = 256
