import type { Caller } from '../call/caller.ts'
import type { Link } from '../call/link.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { ToolgateError } from '../errors.ts'
import type { Guard } from '../guard/guard.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import type { Registry } from '../registry/registry.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'

export interface ScopeParts {
  readonly registry: Registry
  readonly catalogue: Catalogue
  readonly guard: Guard
}

/**
 * A tool's own endpoint calls that tool's functions, by their own names. What belongs to another
 * tool, by `tool__function` or because only that one has it, is refused before it reaches a
 * process. Throws `out_of_scope`.
 */
export function checkScope(parts: ScopeParts, { tool, caller }: Link, message: Message): void {
  if (message.method !== 'tools/call') return
  const name = (message.json().params as JsonObject | undefined)?.name
  if (typeof name !== 'string') return
  const own = known(parts, tool)
  if (own?.names.has(name) === true) return
  const mark = name.indexOf('__')
  const owner = mark > 0 ? parts.registry.get(name.slice(0, mark))?.declaration : undefined
  if (owner !== undefined && owner.name !== tool.name && sees(parts, caller, owner)) {
    throw outside(tool, owner.name)
  }
  // A list that may change within a session is the process's to know.
  if (own === undefined || own.changes) return
  for (const { declaration } of parts.registry.list()) {
    if (declaration === undefined || declaration.name === tool.name) continue
    if (!sees(parts, caller, declaration)) continue
    if (known(parts, declaration)?.names.has(name) === true) throw outside(tool, declaration.name)
  }
}

/** What a caller may not see is not named to it, whatever it asks for. */
function sees({ guard }: ScopeParts, caller: Caller, tool: Declaration): boolean {
  try {
    guard.see(caller, tool)
    return true
  } catch {
    return false
  }
}

function outside(tool: Declaration, other: string): ToolgateError {
  const message = `This endpoint is the tool "${tool.name}"; the function is one of "${other}".`
  return new ToolgateError('out_of_scope', message)
}

interface Known {
  readonly names: ReadonlySet<string>
  readonly changes: boolean
}

const cache = new WeakMap<readonly FunctionDeclaration[], Known>()

function known({ catalogue }: ScopeParts, tool: Declaration): Known | undefined {
  const state = catalogue.look(tool)
  if (state.state !== 'learned') return undefined
  const { functions, initialize } = state.learned
  let seen = cache.get(functions)
  if (seen === undefined) {
    const { tools } = (initialize.capabilities ?? {}) as { tools?: { listChanged?: unknown } }
    const names = new Set(functions.map((each) => each.name))
    seen = { names, changes: tools?.listChanged === true }
    cache.set(functions, seen)
  }
  return seen
}
