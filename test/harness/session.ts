import assert from 'node:assert/strict'
import { openStream, type RawStream, type Reply, raw, type SseEvent } from './raw.ts'

export type Json = Record<string, unknown>

export const ACCEPT = 'application/json, text/event-stream'

export interface SessionOptions {
  readonly capabilities?: Json
  readonly protocolVersion?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A legacy session over Streamable HTTP, as the wire has it. */
export interface Session {
  readonly id: string
  readonly url: string
  /** The answer to `initialize`, its headers among it. */
  readonly opened: Reply
  /** What every request of this session carries. */
  readonly headers: Readonly<Record<string, string>>
  /** Any message as a POST. */
  post(message: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>
  /** A request, and the message that answers it. */
  request(method: string, params?: unknown, id?: string | number): Promise<Json>
  /** `tools/call`, and the text of its first content. */
  callText(name: string, args?: unknown): Promise<string>
  /** A request whose stream is read event by event. */
  stream(method: string, params?: unknown, id?: string | number): Promise<RawStream>
  /** The GET stream; with `lastEventId` it resumes. */
  listen(lastEventId?: string): Promise<RawStream>
  notify(method: string, params?: unknown): Promise<Reply>
  respond(id: unknown, result: unknown): Promise<Reply>
  end(): Promise<Reply>
}

/** Opens a session: `initialize`, then `notifications/initialized`. */
export async function openSession(url: string, options: SessionOptions = {}): Promise<Session> {
  const opened = await initialize(url, options)
  assert.equal(opened.status, 200, opened.text)
  const result = resultOf(opened.json())
  const id = String(opened.headers['mcp-session-id'])
  const headers = {
    accept: ACCEPT,
    'mcp-session-id': id,
    'mcp-protocol-version': String(result.protocolVersion),
    ...options.headers,
  }
  let ids = 100
  const post: Session['post'] = (message, more) =>
    raw(url, { method: 'POST', body: message, headers: { ...headers, ...more } })
  const envelope = (method: string, params: unknown, given?: string | number) => ({
    jsonrpc: '2.0',
    id: given ?? ++ids,
    method,
    ...(params === undefined ? {} : { params }),
  })
  const session: Session = {
    id,
    url,
    opened,
    headers,
    post,
    request: async (method, params, given) => (await post(envelope(method, params, given))).json(),
    callText: async (name, args = {}) =>
      textOf(await session.request('tools/call', { name, arguments: args })),
    stream: (method, params, given) =>
      openStream(url, { method: 'POST', headers, body: envelope(method, params, given) }),
    listen: (lastEventId) =>
      openStream(url, {
        headers: {
          ...headers,
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
      }),
    notify: (method, params) =>
      post({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }),
    respond: (answered, answer) => post({ jsonrpc: '2.0', id: answered, result: answer }),
    end: () => raw(url, { method: 'DELETE', headers }),
  }
  await session.notify('notifications/initialized')
  return session
}

export function initialize(url: string, options: SessionOptions = {}): Promise<Reply> {
  const { protocolVersion = '2025-11-25', capabilities = {}, headers = {} } = options
  const params = { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '1' } }
  const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params }
  return raw(url, { method: 'POST', headers: { accept: ACCEPT, ...headers }, body })
}

/** The JSON-RPC message in an event's data. */
export function messageIn(event: SseEvent): Json {
  return event.data === '' ? {} : JSON.parse(event.data)
}

export function resultOf(message: Json): Json {
  assert.ok(isObject(message.result), `no result in ${JSON.stringify(message)}`)
  return message.result
}

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

export function errorOf(message: Json): RpcError {
  const { error } = message
  assert.ok(isObject(error), `no error in ${JSON.stringify(message)}`)
  return { code: Number(error.code), message: String(error.message), data: error.data }
}

/** The text of the first content of a `tools/call` answer. */
export function textOf(message: Json): string {
  const { content } = resultOf(message)
  const [first] = Array.isArray(content) ? content : []
  return String(first?.text)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}
