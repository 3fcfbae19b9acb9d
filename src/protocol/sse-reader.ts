import { StringDecoder } from 'node:string_decoder'

export interface ReceivedEvent {
  /** `message` where the stream names none. */
  readonly event: string
  readonly data: string
  /** The last id the stream has given, by this event or before; empty where it gave none. */
  readonly id: string
}

/**
 * Chunks of an SSE stream in, events out, as WHATWG HTML defines them (section 9.2.6); linear in
 * the input whatever the chunking. A line or an event over `limit` characters throws a RangeError.
 */
export class SseReader {
  /** The id to send as `Last-Event-ID`. */
  lastEventId = ''
  /** The delay before reconnecting that the stream asked for, in milliseconds. */
  retry: number | undefined
  readonly #limit: number
  readonly #decoder = new StringDecoder('utf8')
  #started = false
  #afterCr = false
  #pieces: string[] = []
  #size = 0
  #event = ''
  #data: string[] = []
  #events: ReceivedEvent[] = []

  constructor(options: { readonly limit?: number } = {}) {
    this.#limit = options.limit ?? 64 * 1024 * 1024
  }

  /** The events that this chunk completed. */
  push(chunk: string | Uint8Array): ReceivedEvent[] {
    let text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)
    if (text === '') return []
    if (!this.#started && text.startsWith('\uFEFF')) text = text.slice(1)
    this.#started = true
    let start = this.#afterCr && text.startsWith('\n') ? 1 : 0
    this.#afterCr = text.endsWith('\r')
    let lf = text.indexOf('\n', start)
    let cr = text.indexOf('\r', start)
    while (lf !== -1 || cr !== -1) {
      const end = lf === -1 || (cr !== -1 && cr < lf) ? cr : lf
      this.#line(text.slice(start, end))
      start = end === cr && lf === cr + 1 ? lf + 1 : end + 1
      if (lf !== -1 && lf < start) lf = text.indexOf('\n', start)
      if (cr !== -1 && cr < start) cr = text.indexOf('\r', start)
    }
    if (start < text.length) this.#wait(text.slice(start))
    const events = this.#events
    if (events.length > 0) this.#events = []
    return events
  }

  #wait(piece: string): void {
    this.#count(piece.length)
    this.#pieces.push(piece)
  }

  #line(last: string): void {
    let line = last
    if (this.#pieces.length > 0) {
      this.#pieces.push(last)
      line = this.#pieces.join('')
      this.#pieces = []
    }
    if (line === '') {
      this.#dispatch()
      return
    }
    this.#count(last.length)
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon === -1 ? line : line.slice(0, colon)
    const from = line[colon + 1] === ' ' ? colon + 2 : colon + 1
    this.#field(name, colon === -1 ? '' : line.slice(from))
  }

  #field(name: string, value: string): void {
    if (name === 'data') this.#data.push(value)
    else if (name === 'event') this.#event = value
    else if (name === 'id') {
      if (!value.includes('\0')) this.lastEventId = value
    } else if (name === 'retry' && /^[0-9]+$/.test(value)) this.retry = Number(value)
  }

  #dispatch(): void {
    if (this.#data.length > 0) {
      const event = this.#event === '' ? 'message' : this.#event
      this.#events.push({ event, data: this.#data.join('\n'), id: this.lastEventId })
      this.#data = []
    }
    this.#event = ''
    this.#size = 0
  }

  #count(length: number): void {
    this.#size += length
    if (this.#size > this.#limit) throw new RangeError('The SSE stream sent too long an event.')
  }
}
