import { ToolgateError } from '../errors.ts'
import { ALL_TOOLS } from './aggregate/all-tools.ts'

/** Where an MCP request goes. */
export interface McpRoute {
  readonly wire: 'streamable' | 'sse' | 'messages'
  /** That of `ALL_TOOLS` for `/mcp`. */
  readonly tool: string
  /** Of HTTP+SSE, from the query. */
  readonly sessionId: string | null
}

/**
 * The MCP route of a URL: `/mcp`, `/mcp/{tool}`, `/mcp/{tool}/sse`, `/mcp/{tool}/messages`,
 * `/{tool}/sse`; undefined for any other. Throws `invalid_name` for a path that hides something or
 * a tool name that cannot be one, `not_found` for what lies deeper.
 */
export function findRoute(url: string): McpRoute | undefined {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  if (HIDDEN.test(path)) {
    throw new ToolgateError('invalid_name', 'Encoded dots, slashes or nulls in the path.')
  }
  const known = routes.get(path)
  if (known !== undefined && mark < 0) return known
  const parts = path.split('/')
  if (parts[1] === 'mcp') return mcpRoute(path, parts, mark < 0 ? '' : url.slice(mark + 1))
  if (parts.length === 3 && parts[2] === 'sse') {
    return { wire: 'sse', tool: checked(parts[1] ?? ''), sessionId: null }
  }
  return undefined
}

function mcpRoute(path: string, parts: string[], query: string): McpRoute | undefined {
  const [, , tool, wire, ...rest] = parts
  if (tool === undefined) return { wire: 'streamable', tool: ALL_TOOLS.name, sessionId: null }
  if (tool === '') throw new ToolgateError('not_found', 'Name a tool: /mcp/{tool}, or use /mcp.')
  if (tool === 'invoke' && wire === undefined) return undefined
  const sessionId = new URLSearchParams(query).get('sessionId')
  const name = checked(tool)
  if (rest.length > 0) throw new ToolgateError('not_found', 'There is no such route.')
  if (wire === undefined) {
    const route = { wire: 'streamable', tool: name, sessionId } as const
    if (routes.size < MOST_ROUTES) routes.set(path, route)
    return route
  }
  if (wire === 'sse' || wire === 'messages') return { wire, tool: name, sessionId }
  throw new ToolgateError('not_found', 'There is no such route.')
}

function checked(name: string): string {
  if (NAME.test(name) && !name.includes('__') && name !== 'invoke') return name
  const message = 'A tool name is 1 to 64 of A-Z, a-z, 0-9, _ and -, without "__".'
  throw new ToolgateError('invalid_name', message)
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const HIDDEN = /%(?:2e|2f|5c|00)|\\|(?:^|\/)\.\.?(?:\/|$)/i

/** Paths that were read before; bounded, because anyone may ask for anything. */
const routes = new Map<string, McpRoute>()
const MOST_ROUTES = 256
