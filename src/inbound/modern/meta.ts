import type { Capabilities } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import { isLogLevel } from '../../protocol/log-level.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'

/** What a modern request says of its client. */
export interface RequestMeta {
  readonly version: string
  readonly capabilities: Capabilities
  readonly clientInfo?: JsonObject
  readonly logLevel?: string
}

/** Reads it from `params._meta`. Throws `invalid_meta` where something is missing or wrong. */
export function readMeta(message: Message): RequestMeta {
  const { params } = message.json()
  const meta = (isObject(params) && isObject(params._meta) && params._meta) || NOTHING
  const version = meta[META.protocolVersion]
  if (typeof version !== 'string') throw wrong(META.protocolVersion, 'a string')
  const capabilities = meta[META.clientCapabilities]
  if (!isObject(capabilities)) throw wrong(META.clientCapabilities, 'an object')
  const clientInfo = meta[META.clientInfo]
  const logLevel = meta[META.logLevel]
  if (clientInfo === undefined && logLevel === undefined) return { version, capabilities }
  if (clientInfo !== undefined && !isObject(clientInfo)) throw wrong(META.clientInfo, 'an object')
  if (logLevel !== undefined && !isLogLevel(logLevel)) throw wrong(META.logLevel, 'a log level')
  return {
    version,
    capabilities,
    ...(clientInfo !== undefined && { clientInfo }),
    ...(logLevel !== undefined && { logLevel }),
  }
}

const NOTHING: JsonObject = {}

function wrong(key: string, expected: string): ToolgateError {
  const message = `"params._meta" needs "${key}" to be ${expected}.`
  return new ToolgateError('invalid_meta', message, { data: { key, expected } })
}
