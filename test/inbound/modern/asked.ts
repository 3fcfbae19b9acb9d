import type { IncomingMessage } from 'node:http'
import type { JsonObject, Message } from '../../../src/protocol/message.ts'
import { META } from '../../../src/protocol/meta.ts'
import { readClientMessage } from '../../../src/protocol/read.ts'

/** What a request says of itself when it says what it must. */
export const SAID = { [META.protocolVersion]: '2026-07-28', [META.clientCapabilities]: {} }

/** A message as a client sent it. */
export function sent(message: JsonObject): Message {
  const [read] = readClientMessage(JSON.stringify({ jsonrpc: '2.0', ...message }))
  return read as Message
}

/** A modern request with what it must say of itself. */
export function asking(method: string, params: JsonObject = {}, id: string | number = 1): Message {
  return sent({ id, method, params: { _meta: SAID, ...params } })
}

/** A request with these headers, in names and values as they were sent. */
export function withHeaders(...sent: readonly (readonly [string, string])[]): IncomingMessage {
  const headers: Record<string, string> = {}
  for (const [name, value] of sent) {
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  return { headers, rawHeaders: sent.flat() } as unknown as IncomingMessage
}
