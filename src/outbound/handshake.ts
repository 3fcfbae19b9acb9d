import { ToolgateError } from '../errors.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import { LEGACY_VERSIONS } from '../protocol/versions.ts'

/** The result of `initialize`. */
export interface InitializeResult extends JsonObject {
  protocolVersion: string
  capabilities: JsonObject
}

/** The version a client is answered with: what it wants, unless the process speaks only less. */
export function agreedVersion(spoken: string, wanted: unknown): string {
  const versions: readonly string[] = LEGACY_VERSIONS
  const ours = versions.indexOf(spoken)
  const theirs = typeof wanted === 'string' ? versions.indexOf(wanted) : -1
  return theirs >= 0 && (ours < 0 || theirs < ours) ? (versions[theirs] as string) : spoken
}

/**
 * What a process answered to `initialize`. Throws `tool_misbehaved`, and `tool_failed_to_start`
 * with the tool's own error as its cause.
 */
export function readInitialized(answer: Message): InitializeResult {
  const { result, error } = answer.json() as { result?: unknown; error?: { message?: unknown } }
  if (answer.kind === 'error') {
    const why = String(error?.message ?? 'no reason given')
    const message = `The tool refused to initialize: ${why}.`
    throw new ToolgateError('tool_failed_to_start', message, { cause: error })
  }
  const { protocolVersion, capabilities } = (result ?? {}) as JsonObject
  if (typeof protocolVersion !== 'string' || !isObject(capabilities)) {
    const message = 'The tool answered initialize without "protocolVersion" and "capabilities".'
    throw new ToolgateError('tool_misbehaved', message)
  }
  return result as InitializeResult
}
