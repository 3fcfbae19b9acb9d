import type { ServerResponse } from 'node:http'
import { holdUnsent } from '../inbound/unsent.ts'
import type { JsonObject, Message } from '../protocol/message.ts'

/** Unread bytes past which news of the call is left out; its end never is. */
const MOST_UNREAD = 262_144
const KEEP_ALIVE = 15_000

/**
 * A call's answer as server-sent events: `progress` and `log`, then exactly one `result` or
 * `error`. Nothing is sent before the first event or the first keep-alive, so that what fails
 * early is an HTTP error.
 */
export class CallStream {
  readonly #res: ServerResponse
  readonly #timer: NodeJS.Timeout
  #started = false
  #ended = false
  #late: string | undefined

  constructor(res: ServerResponse) {
    this.#res = res
    this.#timer = setInterval(() => this.#keepAlive(), KEEP_ALIVE).unref()
    res.once('close', () => this.#stop())
  }

  /** Whether it is too late for an HTTP error. */
  get started(): boolean {
    return this.#started
  }

  /** A notification of the call's tool. */
  notify(message: Message): void {
    if (this.#ended || this.#res.destroyed) return
    const params = message.json().params
    if (typeof params !== 'object' || params === null) return
    if (message.method === 'notifications/progress') {
      this.#news(event('progress', pick(params, ['progress', 'total', 'message'])))
    } else if (message.method === 'notifications/message') {
      this.#news(event('log', pick(params, ['level', 'logger', 'data'])))
    }
  }

  /** Cuts the connection where too much that was answered is unread already. */
  result(body: unknown): void {
    this.#last(event('result', body))
  }

  /** The same for a problem, because a tool may ask for much. */
  error(problem: unknown): void {
    this.#last(event('error', problem))
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#res.statusCode = 200
    this.#res.setHeader('Content-Type', 'text/event-stream')
    this.#res.setHeader('Cache-Control', 'no-store, no-transform')
    this.#res.setHeader('X-Accel-Buffering', 'no')
    this.#res.flushHeaders()
    this.#res.on('drain', () => this.#catchUp())
  }

  /** A client that reads slowly gets the newest, not all; nothing is buffered without bound. */
  #news(text: string): void {
    this.#start()
    if (this.#res.writableLength > MOST_UNREAD) this.#late = text
    else this.#res.write(text)
  }

  #catchUp(): void {
    if (this.#late === undefined || this.#ended) return
    this.#res.write(this.#late)
    this.#late = undefined
  }

  #last(text: string): void {
    if (this.#ended || this.#res.destroyed) return
    this.#start()
    this.#stop()
    if (holdUnsent(this.#res, Buffer.byteLength(text))) this.#res.end(text)
    else this.#res.destroy()
  }

  #keepAlive(): void {
    this.#start()
    if (!this.#res.writableNeedDrain) this.#res.write(': keep-alive\n\n')
  }

  #stop(): void {
    this.#ended = true
    clearInterval(this.#timer)
  }
}

/** JSON has no line ends of its own, so one `data` line holds it. */
function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

function pick(params: object, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(params).filter(([name]) => names.includes(name)))
}
