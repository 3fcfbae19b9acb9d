import type { Writable } from 'node:stream'

export interface OutputOptions {
  /** Most characters kept while the reader is away; lines past it are dropped and counted. */
  readonly limit?: number
  /** The line that tells how many were dropped, with its end. */
  readonly droppedLine: (count: number) => string
}

/**
 * Lines to a stream whose reader may be slow or gone, in few writes: nothing waits for it, memory
 * is bounded, and a closed stream only ends the log. Not `fs.write`: a full pipe would hold a
 * thread of Node's pool, and with it the exit of the process, until somebody reads.
 */
export class LineOutput {
  readonly #stream: Writable
  readonly #limit: number
  readonly #droppedLine: (count: number) => string
  #pending = ''
  #dropped = 0
  #scheduled: NodeJS.Timeout | NodeJS.Immediate | undefined
  #lastFlush = 0
  #broken = false

  constructor(stream: Writable, { limit = LIMIT, droppedLine }: OutputOptions) {
    this.#stream = stream
    this.#limit = limit
    this.#droppedLine = droppedLine
    // Stays for good: an EPIPE after the end must not take the process down either.
    stream.on('error', this.#onError)
    stream.on('drain', this.#flush)
    process.on('exit', this.#flushLast)
  }

  write(line: string): void {
    if (this.#broken) return
    if (this.#pending.length + line.length > this.#limit) {
      this.#dropped += 1
      return
    }
    this.#pending += line
    if (this.#pending.length >= FULL) this.#flush()
    else if (this.#scheduled === undefined) this.#schedule()
  }

  /** Hands over what is pending and waits until it is written, at most `CLOSE` milliseconds. */
  async close(): Promise<void> {
    this.#flushLast()
    process.off('exit', this.#flushLast)
    if (!this.#broken && this.#stream.writableLength > 0) await this.#drained()
    this.#stream.off('drain', this.#flush)
    this.#broken = true
  }

  /** A lone line leaves at once; a burst leaves in one write for each interval. */
  #schedule(): void {
    const rested = performance.now() - this.#lastFlush > INTERVAL
    if (rested) this.#scheduled = setImmediate(this.#flush)
    else this.#scheduled = setTimeout(this.#flush, INTERVAL).unref()
  }

  readonly #flush = (): void => {
    if (this.#stream.writableNeedDrain) this.#unschedule()
    else this.#flushLast()
  }

  readonly #flushLast = (): void => {
    this.#unschedule()
    if (this.#dropped > 0) {
      this.#pending += this.#droppedLine(this.#dropped)
      this.#dropped = 0
    }
    if (this.#pending === '' || this.#broken) return
    const text = this.#pending
    this.#pending = ''
    this.#lastFlush = performance.now()
    this.#stream.write(text)
  }

  #unschedule(): void {
    clearTimeout(this.#scheduled as NodeJS.Timeout)
    clearImmediate(this.#scheduled as NodeJS.Immediate)
    this.#scheduled = undefined
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE)
      this.#stream.write('', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  readonly #onError = (): void => {
    this.#broken = true
    this.#pending = ''
  }
}

/** Characters. */
const LIMIT = 1024 * 1024
const FULL = 32 * 1024
/** Milliseconds. */
const INTERVAL = 10
const CLOSE = 500
