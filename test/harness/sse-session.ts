import { openStream, type RawStream, type Reply, raw } from './raw.ts'
import { type Json, messageIn } from './session.ts'
import { within } from './until.ts'

/** A session over HTTP+SSE (2024-11-05), as the wire has it. */
export interface SseSession {
  readonly stream: RawStream
  /** Where messages are posted, as the endpoint event said. */
  readonly endpoint: string
  post(message: unknown): Promise<Reply>
  /** A request, and the message on the stream that answers it. */
  request(method: string, params?: unknown): Promise<Json>
}

/** Opens the stream at `url`, waits for its endpoint, and initializes. */
export async function openSseSession(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<SseSession> {
  const stream = await openStream(url, { headers: { accept: 'text/event-stream', ...headers } })
  if (stream.status !== 200) {
    const text = await within(5000, 'the end of a refusal', stream.text())
    throw new Error(`${stream.status}: ${text}`)
  }
  const { data } = await stream.waitFor('endpoint', ({ event }) => event === 'endpoint')
  const endpoint = new URL(data, url).href
  const post: SseSession['post'] = (body) => raw(endpoint, { method: 'POST', body, headers })
  let ids = 0
  const request: SseSession['request'] = async (method, params = {}) => {
    const id = ++ids
    const answered = stream.waitFor(`an answer to ${method}`, (event) => {
      return event.event === 'message' && messageIn(event).id === id && !messageIn(event).method
    })
    answered.catch(() => {})
    const reply = await post({ jsonrpc: '2.0', id, method, params })
    if (reply.status !== 202 && reply.status !== 200)
      throw new Error(`${reply.status}: ${reply.text}`)
    return messageIn(await answered)
  }
  await request('initialize', {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  })
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return { stream, endpoint, post, request }
}
