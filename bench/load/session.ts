/** A JSON-RPC message, as far as the bench looks into it. */
export interface Json {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly progressToken?: unknown; readonly progress?: number }
  readonly result?: {
    readonly content?: readonly { readonly text?: string }[]
    readonly tools?: readonly unknown[]
    readonly isError?: boolean
  }
  readonly error?: { readonly code: number; readonly message: string }
}

/** What came for one request, in the order in which it came; read only after the clock stopped. */
export interface Answer {
  /** `performance.now()` when the last byte was here. */
  readonly at: number
  messages(): readonly Json[]
}

/** One MCP session, one request at a time. Every member rejects when the wire or the status fails. */
export interface Session {
  /** `initialize` and `notifications/initialized`. */
  open(): Promise<void>
  ask(method: string, params: object): Promise<Answer>
  /** Opens the server's own stream, as the official client does; nothing where there is none. */
  listen(): Promise<void>
  close(): Promise<void>
}

export const VERSION = '2025-11-25'

export const INITIALIZE = {
  protocolVersion: VERSION,
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
}

/** The text of the answer to the request `id`, or throws with what came in its place. */
export function textOf(answer: Answer, id: number): string {
  const messages = answer.messages()
  const last = messages.at(-1)
  const text = last?.result?.content?.[0]?.text
  if (last?.id !== id || text === undefined) {
    throw new Error(`No answer to ${id} in ${JSON.stringify(messages).slice(0, 300)}`)
  }
  return text
}
