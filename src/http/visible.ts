import type { Caller } from '../call/caller.ts'
import type { ToolEntry } from '../registry/registry.ts'
import type { HttpParts } from './parts.ts'

/** Whether the caller may see an entry; one that was never good has nothing to hide behind. */
export function isVisible(parts: HttpParts, caller: Caller, entry: ToolEntry): boolean {
  if (entry.declaration === undefined) return true
  try {
    parts.guard.see(caller, entry.declaration)
    return true
  } catch {
    return false
  }
}
