import type { IncomingMessage, ServerResponse } from 'node:http'

const METHODS = 'GET, HEAD, POST, DELETE, OPTIONS'
const READABLE =
  'X-Request-Id, X-MCP-Tool, X-MCP-Runtime, X-MCP-Timeout, Retry-After, Mcp-Session-Id, WWW-Authenticate'
const SENDABLE =
  'Accept, Authorization, Content-Type, Last-Event-ID, Mcp-Method, Mcp-Name, MCP-Protocol-Version, Mcp-Session-Id, Prefer, traceparent, tracestate, X-API-Key, X-Request-Id'

/**
 * Lets a page of an allowed origin read the answer. `origins` is the configuration's; `*` is all.
 * Never lets a browser send cookies: keys go in headers.
 */
export function allowOrigin(
  req: IncomingMessage,
  res: ServerResponse,
  origins: readonly string[],
): boolean {
  const { origin } = req.headers
  if (origins.length > 0) res.appendHeader('Vary', 'Origin')
  if (origin === undefined) return false
  if (!origins.includes('*') && !origins.includes(origin)) return false
  res.setHeader('Access-Control-Allow-Origin', origin)
  res.setHeader('Access-Control-Expose-Headers', READABLE)
  return true
}

/** The same as names and values in turn, for an answer that is written in one go. */
export function corsHeaders(req: IncomingMessage, origins: readonly string[]): readonly string[] {
  const { origin } = req.headers
  if (origins.length === 0) return NONE
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return VARY
  const allowed = ['Access-Control-Allow-Origin', origin]
  return [...VARY, ...allowed, 'Access-Control-Expose-Headers', READABLE]
}

const NONE: readonly string[] = []
const VARY: readonly string[] = ['Vary', 'Origin']

/** A browser's question before the request: it carries no key, so it is asked of nobody else. */
export function isPreflight(req: IncomingMessage): boolean {
  const { origin } = req.headers
  const asksFor = req.headers['access-control-request-method']
  return req.method === 'OPTIONS' && origin !== undefined && asksFor !== undefined
}

/** Answers a preflight; without the headers of an allowed origin, the browser takes it for a no. */
export function answerPreflight(
  req: IncomingMessage,
  res: ServerResponse,
  origins: readonly string[],
): void {
  if (allowOrigin(req, res, origins)) {
    res.setHeader('Access-Control-Allow-Methods', METHODS)
    res.setHeader('Access-Control-Allow-Headers', sendable(req))
    res.appendHeader('Vary', 'Access-Control-Request-Headers')
    res.setHeader('Access-Control-Max-Age', '600')
  }
  res.statusCode = 204
  res.end()
}

/**
 * A function's schema says which `Mcp-Param-*` its client sends, so they are as the page asks; a
 * wildcard would let through whatever else it asks for.
 */
function sendable(req: IncomingMessage): string {
  const asked = req.headers['access-control-request-headers'] ?? ''
  const names = asked.split(',').map((name) => name.trim())
  return [SENDABLE, ...names.filter((name) => MIRRORED.test(name))].join(', ')
}

/** A token (RFC 9110, 5.6.2) in the family of MCP's own headers. */
const MIRRORED = /^mcp-[!#$%&'*+\-.^_`|~0-9a-z]+$/i
