import type { JsonObject } from '../protocol/message.ts'
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
