import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import { closest } from '../tool/closest.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'
import type { HttpParts } from './parts.ts'
import { isVisible } from './visible.ts'

/** Most names that an error tells, or that are compared with a wrong one. */
const MOST_NAMES = 100

/** Most characters of a wrong name that are told, and longest that is compared. */
const LONGEST = 64

/** A tool that is not there, with the one that was probably meant, of those the caller may see. */
export function unknownTool(parts: HttpParts, caller: Caller, name: string): ToolgateError {
  parts.telemetry.meters.routingError('unknown_tool')
  const visible = parts.registry.list().filter((entry) => isVisible(parts, caller, entry))
  const meant = probably(
    name,
    visible.map((entry) => entry.name),
  )
  const message = `There is no tool ${quoted(name)}.${meant} See GET /v1/tools.`
  return new ToolgateError('unknown_tool', message)
}

/** A function that the tool does not list, with those that it does. */
export function unknownFunction(
  tool: Declaration,
  functions: readonly FunctionDeclaration[],
  name: string,
): ToolgateError {
  const names = functions.slice(0, MOST_NAMES).map((each) => each.name)
  const message =
    `The tool "${tool.name}" has no function ${quoted(name)}.${probably(name, names)} ` +
    `It has: ${names.join(', ')}.`
  return new ToolgateError('unknown_function', message, { data: { functions: names } })
}

/** A name that `POST /mcp/invoke` finds nowhere; `names` are those it could have found. */
export function unknownAnywhere(names: readonly string[], name: string): ToolgateError {
  const message = `No tool has a function ${quoted(name)}.${probably(name, names)} See GET /v1/tools.`
  return new ToolgateError('unknown_function', message)
}

function probably(name: string, names: readonly string[]): string {
  if (name.length > LONGEST) return ''
  const near = names.filter((each) => each.length <= LONGEST).slice(0, MOST_NAMES)
  const meant = closest(name, near)
  return meant === undefined ? '' : ` Did you mean "${meant}"?`
}

function quoted(name: string): string {
  return name.length > LONGEST ? `"${name.slice(0, LONGEST)}…"` : `"${name}"`
}
