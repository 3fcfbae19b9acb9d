import { setTimeout as wait } from 'node:timers/promises'
import { Connection, type Reply } from './connection.ts'
import { type Answer, INITIALIZE, type Json, type Session, VERSION } from './session.ts'

/** Of every request, whatever its era. */
export const ACCEPT = 'application/json, text/event-stream'

/** MCP over Streamable HTTP: one connection for requests, one more once `listen` was called. */
export class HttpSession implements Session {
  readonly #path: string
  readonly #requests: Connection
  readonly #stream: Connection
  #headers: Record<string, string> = { 'Content-Type': 'application/json', Accept: ACCEPT }
  /** Id of the last request. */
  id = 0

  /** `url` is the whole endpoint, such as `http://127.0.0.1:8080/mcp/bench`. */
  constructor(url: string) {
    this.#path = new URL(url).pathname
    this.#requests = new Connection(url)
    this.#stream = new Connection(url)
  }

  async open(): Promise<void> {
    const reply = await this.#initialize()
    const session = reply.headers.get('mcp-session-id')
    if (session !== undefined) this.#headers['Mcp-Session-Id'] = session
    this.#headers['MCP-Protocol-Version'] = VERSION
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }

  async ask(method: string, params: object): Promise<Answer> {
    const reply = await this.#post({ jsonrpc: '2.0', id: ++this.id, method, params })
    const at = performance.now()
    return { at, messages: () => messagesOf(reply) }
  }

  async listen(): Promise<void> {
    const { 'Content-Type': _, ...headers } = this.#headers
    const opened = Promise.withResolvers<void>()
    const head = (status: number) => {
      if (status === 200) opened.resolve()
      else opened.reject(new Error(`The stream was answered with ${status}.`))
    }
    this.#stream
      .request('GET', this.#path, { ...headers, Accept: 'text/event-stream' }, null, {
        head,
        part: () => {},
      })
      .catch((error) => opened.reject(error))
    await opened.promise
  }

  async close(): Promise<void> {
    const { 'Content-Type': _, ...headers } = this.#headers
    await this.#requests.request('DELETE', this.#path, headers, null).catch(() => {})
    this.#requests.destroy()
    this.#stream.destroy()
  }

  // A tool that is not learned yet asks to try again, which counts into the time of a start.
  async #initialize(): Promise<Reply> {
    const until = performance.now() + 30_000
    for (;;) {
      try {
        return await this.#post({
          jsonrpc: '2.0',
          id: ++this.id,
          method: 'initialize',
          params: INITIALIZE,
        })
      } catch (error) {
        if (!/^503/.test((error as Error).message) || performance.now() > until) throw error
        await wait(10)
      }
    }
  }

  async #post(message: object): Promise<Reply> {
    const body = JSON.stringify(message)
    const reply = await this.#requests.request('POST', this.#path, this.#headers, body)
    if (reply.status === 200 || reply.status === 202) return reply
    throw new Error(`${reply.status} ${Buffer.concat(reply.body).toString().slice(0, 300)}`)
  }
}

/** The messages of an answer, whether it is one or a stream. */
export function messagesOf({ headers, body }: Reply): readonly Json[] {
  const text = Buffer.concat(body).toString()
  if (!headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text)]
  return text
    .split('\n')
    .filter((line) => line.startsWith('data:') && line.trim() !== 'data:')
    .map((line) => JSON.parse(line.slice(5)))
}
