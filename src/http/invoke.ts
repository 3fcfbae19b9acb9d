import type { Request, Response } from 'express'
import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import type { Declaration } from '../tool/declaration.ts'
import { exactBody } from './body.ts'
import { answerCall } from './call-function.ts'
import { findTool } from './find-tool.ts'
import { asked, type HttpParts } from './parts.ts'
import { unknownAnywhere } from './unknown-name.ts'
import { isVisible } from './visible.ts'

/** `POST /mcp/invoke`: one function by its name alone. */
export function invoke(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { tool_name: name, arguments: input } = req.body
    const exact = (exactBody(req) as { arguments?: unknown }).arguments ?? {}
    const target = await resolve(parts, asked(req).caller, name)
    await answerCall(parts, req, res, {
      ...target,
      input: input ?? {},
      at: '/body/arguments',
      exact,
      entrance: 'invoke',
    })
  }
}

interface Target {
  readonly tool: Declaration
  readonly function: string
}

/** What `/mcp` lists under that name, `tool__function`, or what only one tool has under it. */
async function resolve(parts: HttpParts, caller: Caller, name: string): Promise<Target> {
  const listed = parts.listed(caller, name)
  if (listed !== undefined) return { tool: listed.tool, function: listed.own }
  const [toolName, ...rest] = name.split('__')
  if (toolName !== undefined && rest.length > 0 && parts.registry.get(toolName) !== undefined) {
    return { tool: await findTool(parts, caller, toolName), function: rest.join('__') }
  }
  const { found, learning, others } = search(parts, caller, name)
  if (found.length > 1) {
    const candidates = found.map((target) => `${target.tool.name}__${target.function}`)
    const message = `Several tools have it. Name one of: ${candidates.join(', ')}.`
    throw new ToolgateError('conflict', message, { data: { candidates } })
  }
  const [only] = found
  if (only !== undefined && learning.length === 0) return only
  if (learning.length > 0) {
    const message = `Not every tool is known yet: ${learning.join(', ')}. Name it tool__function.`
    throw new ToolgateError('not_learned', message, { retryAfter: 1 })
  }
  throw unknownAnywhere(others, name)
}

function search(parts: HttpParts, caller: Caller, name: string) {
  const found: Target[] = []
  const learning: string[] = []
  const others: string[] = []
  for (const entry of parts.registry.list()) {
    if (entry.declaration === undefined || !isVisible(parts, caller, entry)) continue
    const names = knownNames(parts, entry.declaration)
    if (names === undefined) learning.push(entry.name)
    else if (names.includes(name)) found.push({ tool: entry.declaration, function: name })
    else for (const each of names) others.push(each, `${entry.name}__${each}`)
  }
  return { found, learning, others }
}

/** Names of a tool's functions; undefined while it is being learned, none when that failed. */
function knownNames(parts: HttpParts, tool: Declaration): string[] | undefined {
  const now = parts.catalogue.look(tool)
  if (now.state === 'learning') return undefined
  return now.state === 'learned' ? now.learned.functions.map((each) => each.name) : []
}
