import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { notificationMessage, resultMessage } from '../../protocol/read.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { Declaration } from '../../tool/declaration.ts'
import type { OpenCall } from '../posted-link.ts'
import { type Looked, recorded } from '../recorded.ts'
import { unknownMethod } from '../unknown-method.ts'
import { levelOf, listed } from './answers.ts'
import { Asked, type Inward } from './asked.ts'
import type { Bundle } from './bundle.ts'
import type { Directories } from './directories.ts'
import { type FoundTool, findTool } from './find-tool.ts'
import { agreed, initialized } from './hello.ts'
import { paramsOf, type Target } from './inward.ts'
import { changedKinds, kindOf } from './lists.ts'
import { answerOutward, saidOutward } from './outward.ts'
import { Passed } from './passed.ts'
import { type LinksParts, SessionLinks } from './session-links.ts'
import { SessionView } from './session-view.ts'
import type { Listener, ToolLink } from './tool-link.ts'

export interface SessionBundleParts extends LinksParts {
  readonly directories: Directories
  readonly telemetry: Telemetry
}

/** A call that a client may cancel. */
interface Open {
  readonly gone: AbortController
  /** Where it is going on, once it is. */
  link?: ToolLink
}

/** Behind a legacy session: a link to each tool that it has used, and all that these say. */
export class SessionBundle implements Bundle, Listener {
  readonly #parts: SessionBundleParts
  readonly #outer: Link
  readonly #links: SessionLinks
  readonly #view: SessionView
  readonly #asked = new Asked()
  readonly #calls = new Map<Id, Open>()

  constructor(parts: SessionBundleParts, outer: Link) {
    this.#parts = parts
    this.#outer = outer
    this.#links = new SessionLinks(parts, outer, this)
    this.#view = new SessionView({
      directories: parts.directories,
      caller: outer.caller,
      links: this.#links,
      changed: (methods) => {
        for (const method of methods) outer.deliver(notificationMessage(method))
      },
    })
  }

  async call(call: Call): Promise<Message> {
    const id = call.request.id as Id
    if (this.#calls.has(id)) {
      const message = `The id ${JSON.stringify(id)} is in use by a call that is not answered yet.`
      throw new ToolgateError('conflict', message)
    }
    const open: Open = { gone: new AbortController() }
    this.#calls.set(id, open)
    try {
      const looked = await recorded(this.#parts.telemetry, call, () => this.#look(call))
      return 'answer' in looked ? looked.answer : await this.#pass(call, open, looked.next)
    } finally {
      this.#calls.delete(id)
    }
  }

  tell(message: Message): void {
    for (const { link, message: own } of this.#inward(message)) {
      try {
        this.#parts.dispatch.tell(link, own)
      } catch {
        // It is ending, and has nothing to do with what is said to the others.
      }
    }
    // Its tool is told in the client's words; one that is still to be called is not called.
    if (message.method === CANCELLED) this.#called(message)?.gone.abort()
  }

  close(reason: string): void {
    this.#view.close()
    this.#links.close(reason)
    for (const { gone } of this.#calls.values()) gone.abort()
  }

  said(link: ToolLink, message: Message): void {
    if (message.kind === 'request') {
      this.#say(link, saidOutward(this.#asked.outward(link, message), link.references))
      return
    }
    if (message.method === CANCELLED) {
      const withdrawn = this.#asked.withdraw(link, message)
      if (withdrawn !== undefined) this.#say(link, withdrawn)
      return
    }
    const changed = changedKinds(message.method)
    // A daemon's lists are the catalogue's to know, which asks it and then tells all sessions.
    if (changed.length > 0 && link.tool.mode === 'daemon') return
    for (const kind of changed) link.stale.add(kind)
    this.#say(link, saidOutward(message, link.references))
  }

  gone(link: ToolLink, reason: string): void {
    this.#links.end(link, reason)
  }

  ended(link: ToolLink, reason: string): void {
    this.#view.drop(link)
    for (const message of this.#asked.drop(link, reason)) this.#outer.deliver(message)
  }

  /** Whom a notification or a response is for, and as what. */
  #inward(message: Message): Inward[] {
    if (message.kind !== 'notification') return some(this.#asked.answer(message))
    switch (message.method) {
      case 'notifications/initialized':
        return []
      case 'notifications/progress':
        return some(this.#asked.progress(message))
      case CANCELLED: {
        const link = this.#called(message)?.link
        return some(link && { link, message })
      }
    }
    const ready = [...this.#links.open].filter((link) => link.ready)
    return ready.map((link) => ({ link, message }))
  }

  /** The open call that a notification is about. */
  #called(message: Message): Open | undefined {
    return this.#calls.get(paramsOf(message).requestId as Id)
  }

  /** The answer, or the tool that has it. */
  async #look(call: Call): Promise<Looked<FoundTool>> {
    const { request } = call
    switch (request.method) {
      case 'initialize':
        return { answer: await this.#begin(request) }
      case 'ping':
        return { answer: resultMessage(request.id as Id, {}) }
      case 'logging/setLevel':
        this.#links.setLevel(levelOf(request), call.trace)
        return { answer: resultMessage(request.id as Id, {}) }
    }
    const kind = kindOf(request.method)
    if (kind === undefined) return this.#find(call)
    const directory = await this.#view.listed(kind, call.trace)
    return { answer: listed(directory, kind, request, 'legacy') }
  }

  async #find({ request, trace }: Call): Promise<Looked<FoundTool>> {
    const later = () => this.#view.later(trace)
    const next = await findTool({ now: this.#view.now(), later, stale: this.#view.stale }, request)
    return next === undefined ? { answer: unknownMethod(request) } : { next }
  }

  async #begin(request: Message): Promise<Message> {
    const { protocolVersion, ...params } = paramsOf(request)
    this.#links.introduce({ protocolVersion: agreed(protocolVersion), ...params })
    const directory = await this.#view.begin()
    return resultMessage(request.id as Id, initialized(directory, protocolVersion))
  }

  async #pass(call: Call, open: Open, found: FoundTool): Promise<Message> {
    const { dispatch } = this.#parts
    const { tool, request, directory } = found
    const link = await this.#links.take(tool, directory, call.trace)
    link.calls.add(call)
    try {
      if (open.gone.signal.aborted) throw new ToolgateError('cancelled', 'The caller left.')
      open.link = link
      const answer = await dispatch.call(new Passed(call, link, request, open.gone.signal))
      if (answer.kind === 'result') this.#note(found)
      return answerOutward(answer, request.method ?? '', link.references)
    } catch (thrown) {
      throw link.over ? toolGone(thrown, tool) : thrown
    } finally {
      this.#links.give(link, call)
    }
  }

  /** A subscription is kept here as well: it outlives the process that was told of it. */
  #note({ tool, request }: Target): void {
    const uri = String(paramsOf(request).uri)
    if (request.method === 'resources/subscribe') this.#links.subscribe(tool.name, uri)
    else if (request.method === 'resources/unsubscribe') this.#links.unsubscribe(tool.name, uri)
  }

  /** On the stream of the only call that the tool has from this client, else outside any call. */
  #say(link: ToolLink, message: Message): void {
    const [only, ...others] = link.calls as Set<Call & Partial<OpenCall>>
    if (only !== undefined && others.length === 0 && only.live !== false) only.notify(message)
    else this.#outer.deliver(message)
  }
}

const CANCELLED = 'notifications/cancelled'

function some<T>(one: T | undefined): T[] {
  return one === undefined ? [] : [one]
}

/** The link's end is not the session's, which is what the client would take it for. */
function toolGone(thrown: unknown, { name }: Declaration): unknown {
  const unknown = thrown instanceof ToolgateError && thrown.code === 'unknown_session'
  return unknown ? new ToolgateError('tool_gone', `The tool "${name}" has ended.`) : thrown
}
