import { Connection, type Reply } from './connection.ts'
import { ACCEPT, messagesOf } from './http-session.ts'
import type { Answer, Session } from './session.ts'

const VERSION = '2026-07-28'
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** A modern client, which has no session: each request says all of itself. */
export class ModernSession implements Session {
  readonly #path: string
  readonly #requests: Connection
  /** Id of the last request. */
  id = 0

  /** `url` is the whole endpoint, such as `http://127.0.0.1:8080/mcp/bench`. */
  constructor(url: string) {
    this.#path = new URL(url).pathname
    this.#requests = new Connection(url)
  }

  async open(): Promise<void> {
    await this.ask('server/discover', {})
  }

  async ask(method: string, params: { name?: string; _meta?: object }): Promise<Answer> {
    const _meta = { ...META, ...params._meta }
    const message = { jsonrpc: '2.0', id: ++this.id, method, params: { ...params, _meta } }
    const reply = await this.#post(message, {
      'Content-Type': 'application/json',
      Accept: ACCEPT,
      'MCP-Protocol-Version': VERSION,
      'Mcp-Method': method,
      ...(params.name === undefined ? {} : { 'Mcp-Name': params.name }),
    })
    const at = performance.now()
    return { at, messages: () => messagesOf(reply) }
  }

  async listen(): Promise<void> {}

  async close(): Promise<void> {
    this.#requests.destroy()
  }

  async #post(message: object, headers: Readonly<Record<string, string>>): Promise<Reply> {
    const body = JSON.stringify(message)
    const reply = await this.#requests.request('POST', this.#path, headers, body)
    if (reply.status === 200) return reply
    throw new Error(`${reply.status} ${Buffer.concat(reply.body).toString().slice(0, 300)}`)
  }
}
