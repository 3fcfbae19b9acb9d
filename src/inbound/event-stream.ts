import type { ServerResponse } from 'node:http'
import type { Visit } from './door.ts'
import { type Kept, keepAlive, letGo } from './keep-alive.ts'

/** An SSE answer on its way: one write for one event, and a word when the client is too slow. */
export class EventStream implements Kept {
  readonly #res: ServerResponse
  readonly #limit: number
  #pressure: Promise<void> | undefined
  #open = true

  /** `broken` is called once when the client went away before `end`; `limit` bounds unread bytes. */
  constructor(visit: Visit, more: readonly string[], limit: number, broken: () => void) {
    this.#res = visit.res
    this.#limit = limit
    visit.res.writeHead(200, [...visit.headers, ...more, ...SSE_HEADERS])
    visit.res.flushHeaders()
    visit.res.once('close', () => {
      letGo(this)
      if (!this.#open) return
      this.#open = false
      broken()
    })
    if (visit.res.destroyed) this.#open = false
    else keepAlive(this)
  }

  get open(): boolean {
    return this.#open
  }

  /** Pending while the client has not read what it was sent. */
  pressure(): Promise<void> | undefined {
    return this.#pressure
  }

  write(...parts: Uint8Array[]): void {
    if (!this.#open) return
    const res = this.#res
    let drained = true
    if (parts.length > 1) res.cork()
    for (const part of parts) drained = res.write(part)
    if (parts.length > 1) res.uncork()
    if (drained) return
    // A client that reads nothing at all is cut off: it may resume what is kept for it.
    if (res.writableLength > this.#limit) res.destroy()
    else this.#pressure ??= this.#untilDrained()
  }

  comment(bytes: Buffer): void {
    if (this.#pressure === undefined) this.write(bytes)
  }

  end(): void {
    if (!this.#open) return
    this.#open = false
    letGo(this)
    this.#res.end()
  }

  /** Cuts the client off. */
  destroy(): void {
    this.#res.destroy()
  }

  #untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#res.off('drain', done)
        this.#res.off('close', done)
        this.#pressure = undefined
        resolve()
      }
      this.#res.on('drain', done)
      this.#res.on('close', done)
    })
  }
}

const SSE_HEADERS = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache, no-transform',
  'X-Accel-Buffering',
  'no',
]
