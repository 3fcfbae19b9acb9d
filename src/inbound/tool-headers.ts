import type { Config } from '../config/config.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Visit } from './door.ts'

/** Names and values in turn: what every answer says of the tool it is about. */
export function toolHeaders({ timeouts }: Config, tool: Declaration): readonly string[] {
  let headers = known.get(tool)
  if (headers === undefined) {
    const timeout = `${tool.timeout ?? timeouts.call}ms`
    headers = [FIRST, tool.name, 'X-MCP-Runtime', tool.runtime.kind, 'X-MCP-Timeout', timeout]
    known.set(tool, headers)
  }
  return headers
}

/** The same visit about another version of its tool; one that is about none stays so. */
export function visitTo(config: Config, tool: Declaration, visit: Visit): Visit {
  const { headers } = visit
  const at = headers.indexOf(FIRST)
  if (at < 0) return visit
  const own = toolHeaders(config, tool)
  const others = [...headers.slice(0, at), ...headers.slice(at + own.length)]
  return { ...visit, headers: [...others, ...own] }
}

const FIRST = 'X-MCP-Tool'

const known = new WeakMap<Declaration, readonly string[]>()
