import { setTimeout as wait } from 'node:timers/promises'
import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import type { ToolEntry } from '../registry/registry.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'
import type { HttpParts } from './parts.ts'
import { unknownFunction, unknownTool } from './unknown-name.ts'

/** How long a request waits for a tool that is just being read or learned, in milliseconds. */
const PATIENCE = 1_000

/** A tool's version that calls are made on. Throws what is in the way. */
export async function findTool(
  parts: HttpParts,
  caller: Caller,
  name: string,
): Promise<Declaration> {
  let entry = entryOf(parts, caller, name)
  if (entry.state === 'loading' && entry.declaration === undefined) {
    await within(parts.registry.settled)
    entry = entryOf(parts, caller, name)
  }
  if (entry.declaration !== undefined) {
    parts.guard.see(caller, entry.declaration)
    return entry.declaration
  }
  if (entry.state === 'broken') throw broken(entry)
  const message = `The tool "${name}" is still being read.`
  throw new ToolgateError('not_learned', message, { retryAfter: 1 })
}

/** What the tool lists under that name. Waits a little while the tool is being learned. */
export async function findFunction(
  parts: HttpParts,
  tool: Declaration,
  name: string,
): Promise<FunctionDeclaration> {
  const functions = await functionsOf(parts, tool)
  const found = functions.find((each) => each.name === name)
  if (found !== undefined) return found
  throw unknownFunction(tool, functions, name)
}

async function functionsOf(
  parts: HttpParts,
  tool: Declaration,
): Promise<readonly FunctionDeclaration[]> {
  const now = parts.catalogue.look(tool)
  if (now.state === 'learned') return now.learned.functions
  if (now.state === 'learning') {
    const learned = await within(parts.catalogue.learn(tool))
    if (learned !== undefined) return learned.functions
    const message = `The functions of "${tool.name}" are not known yet.`
    throw new ToolgateError('not_learned', message, { retryAfter: 1 })
  }
  const { code = 'tool_failed_to_start', error } = now
  throw new ToolgateError(code, error, { data: { tool: tool.name } })
}

/** What comes of it in time, or undefined. */
async function within<T>(work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController()
  const tooLate = wait(PATIENCE, undefined, { signal: timer.signal }).catch(() => undefined)
  try {
    return await Promise.race([work, tooLate])
  } finally {
    timer.abort()
  }
}

/** Throws `unknown_tool`; what it finds is not yet checked against what the caller may see. */
export function entryOf(parts: HttpParts, caller: Caller, name: string): ToolEntry {
  const entry = parts.registry.get(name)
  if (entry === undefined) throw unknownTool(parts, caller, name)
  return entry
}

function broken({ name, error }: ToolEntry): ToolgateError {
  const where = error?.line === undefined ? '' : ` (line ${error.line})`
  const what = error === undefined ? 'its file has a mistake' : `${error.message}${where}`
  const message = `The tool "${name}" is broken: ${what}. See GET /v1/tools.`
  return new ToolgateError('unavailable', message, { retryAfter: 5, data: { tool: name } })
}
