import type { IncomingMessage } from 'node:http'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isModernVersion, MODERN_VERSIONS } from '../../protocol/versions.ts'
import { checkHeaders } from './headers.ts'
import { type RequestMeta, readMeta } from './meta.ts'

/**
 * What every modern request has to be, whatever it is for. Throws, in this order, `invalid_meta`,
 * `header_mismatch`, `unsupported_version`, `unknown_method`.
 */
export function checkRequest(req: IncomingMessage, request: Message): RequestMeta {
  const meta = readMeta(request)
  checkHeaders(req, request, meta)
  checkVersion(meta.version)
  checkMethod(request.method ?? '')
  return meta
}

function checkVersion(requested: string): void {
  if (isModernVersion(requested)) return
  const message = `The protocol version is not supported; known: ${MODERN_VERSIONS.join(', ')}.`
  const data = { supported: MODERN_VERSIONS, requested }
  throw new ToolgateError('unsupported_version', message, { data })
}

/** A tool that serves both eras would take these for what they were in the one before. */
function checkMethod(method: string): void {
  if (!REMOVED.has(method) && !method.startsWith('notifications/')) return
  const known = `MCP ${MODERN_VERSIONS.join(', ')} has no request "${method.slice(0, 128)}".`
  throw new ToolgateError('unknown_method', known)
}

const REMOVED: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
])
