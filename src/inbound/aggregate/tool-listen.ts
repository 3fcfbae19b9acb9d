import { setTimeout as pause } from 'node:timers/promises'
import type { Call } from '../../call/call.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { withParams } from '../modern/with-params.ts'
import { type Below, TASKS, URIS } from './below.ts'
import type { Directory } from './directory.ts'
import { paramsOf } from './inward.ts'
import { saidOutward } from './outward.ts'
import { ToolLink } from './tool-link.ts'

export interface ToolListenParts {
  readonly dispatch: Dispatch
  /** Counts a listen to all tools as one to this tool; what it returns ends that. Throws `unavailable`. */
  holdListen(tool: string): () => void
  /** The client's listen to all tools. */
  readonly call: Call
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal
  /** What the client may see now. */
  directory(): Directory
  /** Takes what the tool tells, as the client is to read it. */
  say(message: Message): void
}

/**
 * The part of a client's listen that one tool has to serve, opened again when the tool ends it or
 * is another version, for as long as the client listens.
 */
export class ToolListen {
  /** Resolves when the tool has said what it tells of, or could not be asked. */
  readonly acknowledged: Promise<void>
  readonly #parts: ToolListenParts
  readonly #below: Below
  #acknowledge = () => {}
  #kept: JsonObject | undefined
  #version: string | undefined
  /** Of this opening of it, and the pause after. */
  #turn = new AbortController()

  constructor(parts: ToolListenParts, below: Below) {
    this.#parts = parts
    this.#below = below
    this.acknowledged = new Promise((resolve) => {
      this.#acknowledge = resolve
    })
    void this.#run()
  }

  /** Those of the client's ids that the tool tells of; all of them where it has not said yet. */
  honoured(field: typeof URIS | typeof TASKS): string[] {
    const wanted = [...this.#below[field]]
    if (this.#kept === undefined) return wanted.map(([, id]) => id)
    const ids = this.#kept[field]
    return Array.isArray(ids) ? wanted.flatMap(([own, id]) => (ids.includes(own) ? id : [])) : []
  }

  /** The tool may be another version now, or be there again. */
  renew(): void {
    const tool = this.#parts.directory().tool(this.#below.tool)
    if (tool?.version !== this.#version) this.#turn.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#parts
    let wait = FIRST
    while (!signal.aborted) {
      this.#turn = new AbortController()
      const turn = AbortSignal.any([signal, this.#turn.signal])
      const since = performance.now()
      const final = await this.#listen(turn)
      this.#kept ??= {}
      this.#acknowledge()
      if (performance.now() - since > LONGEST) wait = FIRST
      await pause(final ? FOREVER : wait, undefined, { signal: turn, ref: false }).catch(() => {})
      wait = this.#turn.signal.aborted ? FIRST : Math.min(2 * wait, LONGEST)
    }
  }

  /** Resolves when the listen has ended; with true where this version has nothing to tell. */
  async #listen(turn: AbortSignal): Promise<boolean> {
    const { holdListen } = this.#parts
    const directory = this.#parts.directory()
    const tool = directory.tool(this.#below.tool)
    this.#version = tool?.version
    if (tool === undefined) return true
    const vain = new AbortController()
    const link = new ToolLink(this.#parts.call.link, tool, directory.references(tool.name), NOBODY)
    try {
      const release = holdListen(tool.name)
      try {
        const answer = await this.#ask(link, AbortSignal.any([turn, vain.signal]), vain)
        const { error } = answer.json()
        return isObject(error) && FINAL.has(error.code)
      } finally {
        release()
      }
    } catch (thrown) {
      // A tool that cannot be listened to now may be again later.
      return vain.signal.aborted || (thrown instanceof ToolgateError && FINAL.has(thrown.rpc))
    }
  }

  /** `vain`: aborted when the tool tells of nothing that is wanted. */
  async #ask(link: ToolLink, signal: AbortSignal, vain: AbortController): Promise<Message> {
    const { dispatch, call } = this.#parts
    const notifications: JsonObject = {}
    for (const field of [URIS, TASKS] as const) {
      if (this.#below[field].size > 0) notifications[field] = [...this.#below[field].keys()]
    }
    await dispatch.open(link)
    try {
      return await dispatch.call({
        link,
        request: withParams(call.request, { notifications }),
        signal,
        trace: call.trace,
        notify: (message) => {
          if (message.method !== ACKNOWLEDGED)
            this.#parts.say(saidOutward(message, link.references))
          else if (!this.#honours(message)) vain.abort()
        },
      })
    } finally {
      dispatch.close(link, 'the listen ended')
    }
  }

  /** Takes the tool's acknowledgement: whether it tells of anything. */
  #honours(acknowledged: Message): boolean {
    const { notifications } = paramsOf(acknowledged)
    const kept = isObject(notifications) ? notifications : {}
    this.#kept ??= kept
    this.#acknowledge()
    return [URIS, TASKS].some((field) => Array.isArray(kept[field]) && kept[field].length > 0)
  }
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
/** Errors that asking again does not mend: no such method, not with these params, nor this client. */
const FINAL: ReadonlySet<unknown> = new Set([-32601, -32602, -32021])
/** What is said outside the listen is nobody's. */
const NOBODY = { said() {}, gone() {} }
/** Milliseconds before it is opened again: twice as long each time, up to the longest. */
const FIRST = 500
const LONGEST = 30_000
/** Until the tool is another version. */
const FOREVER = 2 ** 31 - 1
