import { type ErrorOptions, ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { Logger } from '../../telemetry/log.ts'
import { type Filter, isEmpty, isSame } from './filter.ts'

export interface ListenParts {
  /** What is to be listened to now. Throws `unavailable` where it is too much. */
  wanted(): Filter
  /** Sends a listen; `sent` is called with its id. Resolves with the answer, which ends it. */
  listen(filter: Filter, sent: (id: number) => void): Promise<Message>
  /** Ends a listen of ours; its promise settles no more. */
  cancel(id: number): void
  /** Called with what the tool says on the listen that counts. */
  heard(message: Message): void
  readonly log: Logger
}

interface Listen {
  id: number
  readonly filter: Filter
  granted?: ReadonlySet<unknown>
  readonly acknowledged: () => void
  readonly failed: (error: Error) => void
}

/**
 * The one listen that a connection keeps for its legacy clients and for the catalogue. When what
 * is wanted changes, the next listen is acknowledged before the last one is ended; until then the
 * last one counts, from then on the next one, so that nothing is missed and nothing heard twice.
 */
export class OwnListen {
  readonly #parts: ListenParts
  #current: Listen | undefined
  #next: Listen | undefined
  #opening: Promise<void> | undefined
  #following: Promise<void> | undefined
  #reopening: NodeJS.Timeout | undefined
  #since = 0
  #failures = 0
  #closed = false

  constructor(parts: ListenParts) {
    this.#parts = parts
  }

  /**
   * Resolves once what is wanted now is listened to. Rejects with `tool_error` where the tool
   * refuses, `timeout`, `tool_gone`, `unavailable`.
   */
  refresh(): Promise<void> {
    if (this.#opening === undefined) {
      this.#opening = this.#open().finally(() => {
        this.#opening = undefined
      })
      return this.#opening
    }
    // What opens now may have been wanted before: one more follows, for all who come meanwhile.
    this.#following ??= this.#opening
      .catch(() => {})
      .then(() => {
        this.#following = undefined
        return this.refresh()
      })
    return this.#following
  }

  /** The same where nobody waits for it: it is tried again later. */
  refreshQuietly(): void {
    this.refresh().catch((error: ToolgateError) => {
      if (this.#closed) return
      this.#parts.log.warn({ error: error.message }, 'listening to the tool failed')
      if (error.data?.code !== UNKNOWN_METHOD) this.#reopen()
    })
  }

  /** The tool agreed to tell when this resource changes. */
  grants(uri: string): boolean {
    return this.#current?.granted?.has(uri) ?? true
  }

  has(id: unknown): boolean {
    return this.#current?.id === id || this.#next?.id === id
  }

  /** Takes what the tool says on a listen of ours. */
  hear(id: unknown, message: Message): void {
    if (message.method === ACKNOWLEDGED) this.#acknowledge(id, message)
    else if (this.#current?.id === id) this.#parts.heard(message)
  }

  /** The tool is gone. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#reopening)
  }

  async #open(): Promise<void> {
    const filter = this.#parts.wanted()
    const last = this.#current
    if (isEmpty(filter)) {
      this.#current = undefined
      if (last !== undefined) this.#parts.cancel(last.id)
    } else if (last === undefined || !isSame(last.filter, filter)) {
      await this.#acknowledged(filter)
    }
  }

  #acknowledged(filter: Filter): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const listen: Listen = { id: 0, filter, acknowledged: resolve, failed: reject }
    const timer = setTimeout(() => {
      this.#parts.cancel(listen.id)
      this.#ended(listen, failure('timeout', `did not acknowledge within ${PATIENCE} ms`))
    }, PATIENCE)
    timer.unref()
    this.#next = listen
    this.#parts
      .listen(filter, (id) => {
        listen.id = id
      })
      .then(
        (answer) => this.#ended(listen, endOf(answer)),
        (error) => this.#ended(listen, error),
      )
    return promise.finally(() => clearTimeout(timer))
  }

  /** Within the turn, for what the tool says next is said on the new listen. */
  #acknowledge(id: unknown, message: Message): void {
    const listen = this.#next
    if (listen === undefined || listen.id !== id) return
    const { params } = message.json()
    const granted = isObject(params) ? params.notifications : undefined
    if (isObject(granted)) {
      const uris = granted.resourceSubscriptions
      listen.granted = new Set(Array.isArray(uris) ? uris : [])
    }
    if (this.#current !== undefined) this.#parts.cancel(this.#current.id)
    this.#current = listen
    this.#next = undefined
    this.#since = performance.now()
    listen.acknowledged()
  }

  #ended(listen: Listen, error: Error): void {
    if (listen === this.#next) {
      this.#next = undefined
      listen.failed(error)
    } else if (listen === this.#current) {
      this.#current = undefined
      if (performance.now() - this.#since > STABLE) this.#failures = 0
      this.#reopen()
    }
  }

  #reopen(): void {
    if (this.#closed) return
    clearTimeout(this.#reopening)
    const wait = Math.min(BACKOFF * 2 ** this.#failures, BACKOFF_MAX)
    this.#failures += 1
    this.#reopening = setTimeout(() => this.refreshQuietly(), wait)
    this.#reopening.unref()
  }
}

/** What an answer to a listen means to whoever waits for the acknowledgement. */
function endOf(answer: Message): ToolgateError {
  const { error } = answer.json()
  if (!isObject(error)) return failure('tool_misbehaved', 'ended the listen it never acknowledged')
  const { code, message } = error as JsonObject
  return failure('tool_error', `refused: ${String(message).slice(0, 500)}`, { data: { code } })
}

function failure(
  code: 'timeout' | 'tool_error' | 'tool_misbehaved',
  what: string,
  options?: ErrorOptions,
): ToolgateError {
  return new ToolgateError(code, `The tool was asked to tell of changes, and ${what}.`, options)
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
const UNKNOWN_METHOD = -32601
/** Milliseconds for an acknowledgement. */
const PATIENCE = 10_000
/** Milliseconds before a listen that the tool ended is opened again; twice as long each time. */
const BACKOFF = 250
const BACKOFF_MAX = 30_000
/** A listen that lived so long is no longer counted as failing. */
const STABLE = 10_000
