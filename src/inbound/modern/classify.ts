import type { IncomingMessage } from 'node:http'
import type { Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { isLegacyVersion, isModernVersion } from '../../protocol/versions.ts'

/**
 * Whether a message is of the modern era, by what its body says. An `initialize` is legacy even
 * where it names the version of a legacy session it is about to open.
 */
export function isModern(message: Message): boolean {
  const { method } = message
  if (method === 'server/discover' || method === 'subscriptions/listen') return true
  const { params } = message.json()
  if (!isObject(params) || !isObject(params._meta)) return false
  if (!(META.protocolVersion in params._meta)) return false
  return method !== 'initialize' || !isLegacyVersion(params._meta[META.protocolVersion])
}

/**
 * Whether only its header says so: such a message is refused in words that a modern client
 * understands. An `initialize` that says nothing of the modern era itself is a legacy one.
 */
export function claimsModern(req: IncomingMessage, { method }: Message): boolean {
  return isModernVersion(req.headers['mcp-protocol-version']) && method !== 'initialize'
}
