import type { IncomingMessage } from 'node:http'
import type { Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { isModernVersion } from '../../protocol/versions.ts'

/** Whether a message is of the modern era, by what its body says. */
export function isModern(message: Message): boolean {
  const { method } = message
  if (method === 'server/discover' || method === 'subscriptions/listen') return true
  const { params } = message.json()
  return isObject(params) && isObject(params._meta) && META.protocolVersion in params._meta
}

/**
 * Whether only its header says so: such a message is refused in words that a modern client
 * understands. An `initialize` that says nothing of the modern era itself is a legacy one.
 */
export function claimsModern(req: IncomingMessage, { method }: Message): boolean {
  return isModernVersion(req.headers['mcp-protocol-version']) && method !== 'initialize'
}
