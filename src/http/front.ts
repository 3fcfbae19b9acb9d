import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { checkHost, checkOrigin } from '../guard/host.ts'
import { findRoute } from '../inbound/route.ts'
import type { WireParts } from '../inbound/wire.ts'
import type { HttpApp } from './app.ts'
import { answerPreflight, isPreflight } from './cors.ts'
import { answerDocs, DOCS_PATHS } from './docs.ts'
import { answerHealth, OPEN_PATHS } from './health.ts'
import { serveMcp } from './mcp.ts'
import type { HttpParts } from './parts.ts'
import { pathOf } from './path-of.ts'
import { answerBroken, refuse } from './refuse.ts'
import { newRequestId } from './request-id.ts'
import { setSecurityHeaders } from './security-headers.ts'

export type FrontParts = HttpParts & WireParts

/**
 * The front door: every request passes here first. Host and Origin, then who asks, then where to:
 * an MCP wire, outside any middleware chain, or the REST face, which is loaded on first use.
 */
export function createFront(parts: FrontParts): Server {
  const { config, guard } = parts
  let app: Promise<HttpApp> | undefined

  const enter = async (req: IncomingMessage, res: ServerResponse, requestId: string) => {
    const route = findRoute(req.url ?? '')
    checkHost(req.headers, config, req.rawHeaders)
    if (req.headers.origin !== undefined) checkOrigin(req.headers, config)
    if (route === undefined || req.method === 'OPTIONS') setSecurityHeaders(res, requestId)
    if (isPreflight(req)) return answerPreflight(req, res, config.origins)
    if (route === undefined) {
      const path = pathOf(req)
      if (OPEN_PATHS.has(path)) return answerHealth(req, res, parts.health, requestId)
      if (DOCS_PATHS.has(path)) return answerDocs(req, res)
    }
    const caller = guard.identify(req.headers, req.socket.remoteAddress)
    if (route !== undefined) return serveMcp(parts, route, req, res, caller, requestId)
    app ??= import('./app.ts').then(({ createApp }) => createApp(parts))
    const serve = await app.catch((error: unknown) => {
      app = undefined
      throw error
    })
    serve(req, res, caller, requestId)
  }

  const server = createServer(LIMITS, (req, res) => {
    const requestId = newRequestId(req.headers['x-request-id'])
    enter(req, res, requestId).catch((thrown: unknown) => {
      refuse(parts, req, res, requestId, thrown)
    })
  })
  return server.on('clientError', answerBroken)
}

/** Bytes and milliseconds. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  noDelay: true,
} as const
