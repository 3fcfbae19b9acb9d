import type { ServerResponse } from 'node:http'
import type { Visit } from './door.ts'
import { type Alive, keepAlive, letGo } from './keep-alive.ts'
import { holdUnsent } from './unsent.ts'

/** An SSE answer on its way: one write for one event, and a word when the client is too slow. */
export class EventStream implements Alive {
  readonly #res: ServerResponse
  readonly #limit: number
  #pressure: Promise<void> | undefined
  #open = true
  /** When the client last had nothing left to read. */
  #since = 0

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
    if (parts.length > 1) res.cork()
    for (const part of parts) res.write(part)
    if (parts.length > 1) res.uncork()
    // What `write` says while corked is about the cork: it may all be gone now, with no drain to come.
    if (!res.writableNeedDrain) return
    this.#pressure ??= this.#untilDrained()
    // A client that reads nothing at all is cut off: it may resume what is kept for it.
    const unread = res.writableLength
    const stalled = performance.now() - this.#since > STALLED
    if (unread > this.#limit * MOST || (unread > this.#limit && stalled)) res.destroy()
  }

  comment(bytes: Buffer): void {
    if (this.#pressure === undefined) this.write(bytes)
  }

  end(): void {
    if (!this.#open) return
    this.#open = false
    letGo(this)
    this.#res.end()
    // Nothing is written after it that would show that nobody reads.
    if (!holdUnsent(this.#res, this.#res.writableLength)) this.#res.destroy()
  }

  /** Cuts the client off. */
  destroy(): void {
    this.#res.destroy()
  }

  #untilDrained(): Promise<void> {
    this.#since = performance.now()
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

/** Milliseconds after which a client that has too much to read is taken for gone. */
const STALLED = 5000
/** Times the limit that is too much at once, whoever reads. */
const MOST = 4

const SSE_HEADERS = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache, no-transform',
  'X-Accel-Buffering',
  'no',
]
