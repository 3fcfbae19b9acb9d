import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import type { Declaration } from '../tool/declaration.ts'

/**
 * Lets through who has every scope in the tool's `access` and, where it lists roles, one of them.
 * Throws `forbidden`.
 */
export function checkAccess(caller: Caller, tool: Declaration): void {
  const { scopes, roles } = tool.access
  if (scopes.length > 0 && !scopes.every((scope) => caller.scopes.includes(scope))) {
    throw refusal(tool, 'a scope')
  }
  if (roles.length > 0 && !roles.some((role) => caller.roles.includes(role))) {
    throw refusal(tool, 'a role')
  }
}

function refusal(tool: Declaration, lacks: string): ToolgateError {
  return new ToolgateError('forbidden', `The caller lacks ${lacks} that ${tool.name} asks for.`)
}
