import { setTimeout as pause } from 'node:timers/promises'
import type { Call } from '../../call/call.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { withParams } from '../modern/with-params.ts'
import { type Below, TASKS, URIS } from './below.ts'
import type { Directory } from './directory.ts'
import { paramsOf } from './inward.ts'
import { saidOutward } from './outward.ts'
import { ToolLink } from './tool-link.ts'

/**
 * The part of a client's listen that one tool has to serve, opened again when the tool ends it, for
 * as long as the client listens.
 */
export class ToolListen {
  readonly acknowledged: Promise<void>
  readonly #dispatch: Dispatch
  readonly #call: Call
  readonly #directory: Directory
  readonly #below: Below
  readonly #signal: AbortSignal
  readonly #say: (message: Message) => void
  #acknowledge = () => {}
  /** What the tool said that it would tell of; undefined until it has. */
  #kept: JsonObject | undefined

  /** `say` takes what the tool tells, as the client is to read it. */
  constructor(
    dispatch: Dispatch,
    call: Call,
    directory: Directory,
    below: Below,
    signal: AbortSignal,
    say: (message: Message) => void,
  ) {
    this.#dispatch = dispatch
    this.#call = call
    this.#directory = directory
    this.#below = below
    this.#signal = signal
    this.#say = say
    this.acknowledged = new Promise((resolve) => {
      this.#acknowledge = resolve
    })
    void this.#run()
  }

  /** Those of the client's ids that the tool tells of; all of them where it has not said yet. */
  honoured(field: typeof URIS | typeof TASKS): string[] {
    const kept = this.#kept
    const wanted = [...this.#below[field]]
    if (kept === undefined) return wanted.map(([, id]) => id)
    const ids: unknown = kept[field]
    return Array.isArray(ids) ? wanted.flatMap(([own, id]) => (ids.includes(own) ? id : [])) : []
  }

  async #run(): Promise<void> {
    for (let wait = FIRST; !this.#signal.aborted; wait = Math.min(2 * wait, LONGEST)) {
      const since = performance.now()
      try {
        await this.#listen()
      } catch {
        // A tool that cannot be listened to now may be again later.
      }
      this.#kept ??= {}
      this.#acknowledge()
      if (performance.now() - since > LONGEST) wait = FIRST
      await pause(wait, undefined, { signal: this.#signal, ref: false }).catch(() => {})
    }
  }

  async #listen(): Promise<void> {
    const { tool } = this.#below
    const references = this.#directory.references(tool.name)
    const link = new ToolLink(this.#call.link, tool, references, { said() {}, gone() {} })
    const notifications: JsonObject = {}
    for (const field of [URIS, TASKS] as const) {
      if (this.#below[field].size > 0) notifications[field] = [...this.#below[field].keys()]
    }
    await this.#dispatch.open(link)
    try {
      await this.#dispatch.call({
        link,
        request: withParams(this.#call.request, { notifications }),
        signal: this.#signal,
        trace: this.#call.trace,
        notify: (message) => this.#heard(link, message),
      })
    } finally {
      this.#dispatch.close(link, 'the listen ended')
    }
  }

  #heard(link: ToolLink, message: Message): void {
    if (message.method !== 'notifications/subscriptions/acknowledged') {
      this.#say(saidOutward(message, link.references))
      return
    }
    const { notifications } = paramsOf(message)
    this.#kept ??= isObject(notifications) ? notifications : {}
    this.#acknowledge()
  }
}

/** Milliseconds before it is opened again: twice as long each time, up to the longest. */
const FIRST = 500
const LONGEST = 30_000
