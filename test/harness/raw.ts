import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { within } from './until.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The body as JSON; for an event stream its last message. */
  json(): Record<string, unknown>
  /** Every message of an event stream. */
  readonly events: readonly SseEvent[]
}

export interface SseEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
  readonly retry: string | undefined
}

export interface RawOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A request as the wire has it: any path, any Host, nothing added. The body is sent as JSON. */
export async function raw(url: string, options: RawOptions = {}): Promise<Reply> {
  const stream = await openStream(url, options)
  const text = await within(20_000, `the end of the answer of ${url}`, stream.text())
  const events = stream.events
  const json = () => JSON.parse(isStream(stream.headers) ? lastData(events) : text)
  return { status: stream.status, headers: stream.headers, text, events, json }
}

export interface RawStream {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Every event so far. */
  readonly events: readonly SseEvent[]
  /** Every comment so far. */
  readonly comments: readonly string[]
  /** The first event, of those so far and to come, that fits. */
  waitFor(what: string, predicate: (event: SseEvent) => boolean, ms?: number): Promise<SseEvent>
  /** The whole body, once it ended. */
  text(): Promise<string>
  readonly closed: Promise<void>
  pause(): void
  resume(): void
  /** Breaks the connection. */
  abort(): void
}

/** The same, handed over at its headers, for a body that does not end or is to be broken off. */
export async function openStream(url: string, options: RawOptions = {}): Promise<RawStream> {
  const sending = send(url, options)
  const response = await within(20_000, `the answer of ${url}`, answerTo(sending))
  const events: SseEvent[] = []
  const comments: string[] = []
  const looks = new Set<() => void>()
  const chunks: string[] = []
  const read = eventReader(events, comments)
  response.setEncoding('utf8').on('data', (chunk: string) => {
    chunks.push(chunk)
    const known = events.length
    if (isStream(response.headers)) read(chunk)
    if (events.length > known) for (const look of [...looks]) look()
  })
  const closed = new Promise<void>((done) => response.on('close', done).on('error', () => {}))
  const waitFor: RawStream['waitFor'] = (what, predicate, ms = 10_000) => {
    let look = () => {}
    const found = new Promise<SseEvent>((resolve) => {
      look = () => {
        const event = events.find(predicate)
        if (event) resolve(event)
      }
      looks.add(look)
      look()
    })
    return within(ms, `an event: ${what}`, found).finally(() => looks.delete(look))
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    comments,
    waitFor,
    text: () => closed.then(() => chunks.join('')),
    closed,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    abort: () => sending.destroy(),
  }
}

/** Sends a request and breaks it off `ms` after it was written whole. */
export async function abortRequest(url: string, options: RawOptions, ms = 0): Promise<void> {
  const sending = send(url, options)
  const gone = new Promise((done) => sending.on('close', done).on('error', () => {}))
  sending.on('finish', () => setTimeout(() => sending.destroy(), ms))
  await gone
}

function send(url: string, { method, headers = {}, body }: RawOptions): ClientRequest {
  const { hostname, port, origin } = new URL(url)
  const payload = body === undefined ? undefined : bytesOf(body)
  const sending = httpRequest({
    host: hostname,
    port,
    path: url.slice(origin.length) || '/',
    method: method ?? (payload ? 'POST' : 'GET'),
    agent: false,
    headers: {
      ...(payload ? { 'content-type': 'application/json' } : {}),
      ...(payload && !headers['transfer-encoding'] ? { 'content-length': payload.length } : {}),
      ...headers,
    },
  })
  sending.end(payload)
  return sending
}

function answerTo(sending: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sending.once('response', resolve).on('error', reject)
  })
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function isStream(headers: IncomingMessage['headers']): boolean {
  return String(headers['content-type']).startsWith('text/event-stream')
}

function lastData(events: readonly SseEvent[]): string {
  return events.findLast((event) => event.data !== '')?.data ?? 'null'
}

const BLANK_LINE = /\r?\n\r?\n/

function eventReader(events: SseEvent[], comments: string[]): (chunk: string) => void {
  let pieces: string[] = []
  let tail = ''
  return (chunk) => {
    pieces.push(chunk)
    const seen = tail + chunk
    tail = seen.slice(-3)
    // What comes in many chunks is put together once.
    if (!BLANK_LINE.test(seen)) return
    const blocks = pieces.join('').split(BLANK_LINE)
    pieces = [blocks.pop() ?? '']
    for (const block of blocks) {
      const lines = block.split(/\r?\n/)
      comments.push(...lines.filter((line) => line.startsWith(':')))
      const field = (name: string) => {
        const found = lines.filter((line) => line.startsWith(`${name}:`))
        return found.length
          ? found.map((line) => line.slice(name.length + 1).trim()).join('\n')
          : undefined
      }
      const [data, id, retry] = [field('data'), field('id'), field('retry')]
      if (data === undefined && id === undefined && retry === undefined) continue
      events.push({ event: field('event') ?? 'message', data: data ?? '', id, retry })
    }
  }
}
