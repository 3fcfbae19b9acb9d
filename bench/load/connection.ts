import { connect, type Socket } from 'node:net'

/** A response, whole. `body` is in the parts in which it came. */
export interface Reply {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: readonly Buffer[]
}

export interface Watch {
  head(status: number): void
  part(part: Buffer): void
}

// Servers close an idle connection after 5 s; a fresh one is opened well before that.
const IDLE = 1_500
const NONE = Buffer.alloc(0)

/**
 * A keep-alive HTTP/1.1 connection on a bare socket, one request at a time: it costs a third of
 * the CPU of node:http, so that on few cores the server is measured and not its client.
 * An end or an error before the response is whole rejects.
 */
export class Connection {
  readonly #url: URL
  #socket: Socket | null = null
  #used = 0
  #reader: Reader | null = null

  constructor(url: string) {
    this.#url = new URL(url)
  }

  /** For a body that never ends, such as an event stream: `watch` sees it as it arrives. */
  request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
    watch?: Watch,
  ): Promise<Reply> {
    const done = Promise.withResolvers<Reply>()
    this.#reader = new Reader((failure, reply) => {
      this.#reader = null
      this.#used = performance.now()
      if (reply?.headers.get('connection') === 'close') this.destroy()
      if (reply === null) done.reject(failure)
      else done.resolve(reply)
    }, watch)
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#url.host}\r\n`
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`
    if (body !== null) head += `Content-Length: ${Buffer.byteLength(body)}\r\n`
    this.#open().write(`${head}\r\n${body ?? ''}`)
    return done.promise
  }

  destroy(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.destroy()
  }

  #open(): Socket {
    const fresh = this.#socket !== null && performance.now() - this.#used < IDLE
    if (fresh && this.#socket !== null) return this.#socket
    this.destroy()
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port) })
    socket.setNoDelay(true)
    socket.on('data', (part) => this.#reader?.push(part as Buffer))
    const lost = (why: Error | undefined) => {
      if (this.#socket !== socket) return
      this.#socket = null
      this.#reader?.fail(why ?? new Error('The connection was closed before the answer.'))
    }
    socket.on('error', lost)
    socket.on('close', () => lost(undefined))
    this.#socket = socket
    return socket
  }
}

type Done = (failure: Error | null, reply: Reply | null) => void

class Reader {
  readonly #done: Done
  readonly #watch: Watch | undefined
  #held: Buffer = NONE
  #status = 0
  #headers: Map<string, string> | null = null
  #chunked = false
  #left = 0
  #body: Buffer[] = []

  constructor(done: Done, watch: Watch | undefined) {
    this.#done = done
    this.#watch = watch
  }

  fail(why: Error): void {
    this.#done(why, null)
  }

  push(part: Buffer): void {
    let bytes = this.#held.length === 0 ? part : Buffer.concat([this.#held, part])
    this.#held = NONE
    if (this.#headers === null) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) {
        this.#held = bytes
        return
      }
      this.#head(bytes.toString('latin1', 0, end))
      bytes = bytes.subarray(end + 4)
    }
    if (this.#chunked) this.#chunks(bytes)
    else this.#take(bytes)
  }

  #head(text: string): void {
    const lines = text.split('\r\n')
    this.#status = Number(lines[0]?.slice(9, 12))
    this.#headers = new Map()
    for (let at = 1; at < lines.length; at++) {
      const line = lines[at] as string
      const colon = line.indexOf(':')
      this.#headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    this.#chunked = this.#headers.get('transfer-encoding') === 'chunked'
    this.#left = Number(this.#headers.get('content-length') ?? 0)
    this.#watch?.head(this.#status)
  }

  #take(bytes: Buffer): void {
    if (bytes.length > 0) this.#keep(bytes)
    this.#left -= bytes.length
    if (this.#left <= 0) this.#end()
  }

  // `left` counts what is missing of a chunk with the CRLF behind it.
  #chunks(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, bytes.length - at)
        const text = Math.min(size, this.#left - 2)
        if (text > 0) this.#keep(bytes.subarray(at, at + text))
        this.#left -= size
        at += size
        continue
      }
      const end = bytes.indexOf('\r\n', at)
      if (end === -1) break
      const size = Number.parseInt(bytes.toString('latin1', at, end), 16)
      if (size === 0) {
        if (bytes.length < end + 4) break
        this.#end()
        return
      }
      this.#left = size + 2
      at = end + 2
    }
    this.#held = bytes.subarray(at)
  }

  #keep(bytes: Buffer): void {
    if (this.#watch === undefined) this.#body.push(bytes)
    else this.#watch.part(bytes)
  }

  #end(): void {
    const headers = this.#headers ?? new Map<string, string>()
    this.#done(null, { status: this.#status, headers, body: this.#body })
  }
}
