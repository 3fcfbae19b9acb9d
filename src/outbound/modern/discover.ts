import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { isModernVersion, LATEST_MODERN } from '../../protocol/versions.ts'

/** The result of `server/discover`. */
export interface DiscoverResult extends JsonObject {
  supportedVersions: string[]
  capabilities: JsonObject
}

/**
 * What a process answered to `server/discover`. Throws `tool_misbehaved`, and
 * `tool_failed_to_start`, with the tool's own error as its cause.
 */
export function readDiscovered(answer: Message): DiscoverResult {
  const { result, error } = answer.json() as { result?: unknown; error?: { message?: unknown } }
  if (answer.kind === 'error') {
    const why = String(error?.message ?? 'no reason given')
    const message = `The tool refused server/discover: ${why}.`
    throw new ToolgateError('tool_failed_to_start', message, { cause: error })
  }
  const { supportedVersions, capabilities } = isObject(result) ? result : {}
  if (!Array.isArray(supportedVersions) || !isObject(capabilities)) {
    const what = 'The tool answered server/discover without "supportedVersions" and "capabilities".'
    throw new ToolgateError('tool_misbehaved', what)
  }
  if (!supportedVersions.some(isModernVersion)) {
    const what = `The tool does not speak ${LATEST_MODERN}.`
    throw new ToolgateError('tool_failed_to_start', what)
  }
  return result as DiscoverResult
}

/** The `_meta` of requests of our own: nothing can be asked of us. */
export function ownMeta(version: string): JsonObject {
  return {
    [META.protocolVersion]: LATEST_MODERN,
    [META.clientInfo]: { name: 'toolgate', version },
    [META.clientCapabilities]: {},
  }
}
