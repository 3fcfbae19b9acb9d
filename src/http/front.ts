import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Caller } from '../call/caller.ts'
import { ToolgateError, toToolgateError } from '../errors.ts'
import { checkHost, checkOrigin } from '../guard/host.ts'
import { answerJson, type Visit } from '../inbound/door.ts'
import { failureOf } from '../inbound/failure.ts'
import { findRoute, type McpRoute } from '../inbound/route.ts'
import { openSse, postSse } from '../inbound/sse.ts'
import { serveStreamable } from '../inbound/streamable.ts'
import type { WireParts } from '../inbound/wire.ts'
import { errorMessage } from '../protocol/read.ts'
import { SPANS } from '../telemetry/names.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { HttpApp } from './app.ts'
import { allowOrigin, answerPreflight, isPreflight } from './cors.ts'
import { answerHealth, OPEN_PATHS } from './health.ts'
import type { HttpParts } from './parts.ts'
import { sendProblem } from './problem.ts'
import { newRequestId } from './request-id.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

export interface FrontParts extends HttpParts, WireParts {
  /** The tool's version that new links begin with. Throws `unknown_tool`, `not_learned`. */
  find(tool: string): Declaration | Promise<Declaration>
}

/**
 * The front door: every request passes here first. Host and Origin, then who asks, then where to:
 * an MCP wire, outside any middleware chain, or the REST face, which is loaded on first use.
 */
export function createFront(parts: FrontParts): Server {
  const server = createServer(LIMITS, (req, res) => {
    const requestId = newRequestId(req.headers['x-request-id'])
    enter(parts, req, res, requestId).catch((thrown: unknown) => {
      refuse(parts, req, res, requestId, thrown)
    })
  })
  server.on('clientError', answerBroken)
  return server
}

let app: WeakMap<FrontParts, Promise<HttpApp>> | undefined

async function enter(
  parts: FrontParts,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
): Promise<void> {
  const { config, guard } = parts
  const route = findRoute(req.url ?? '')
  checkHost(req.headers, config, req.rawHeaders)
  if (req.headers.origin !== undefined) checkOrigin(req.headers, config)
  if (route === undefined) {
    setHeaders(res, requestId)
    const path = (req.url ?? '').split('?', 1)[0] ?? ''
    if (OPEN_PATHS.has(path)) return answerHealth(req, res, parts.health, requestId)
  } else if (isPreflight(req)) {
    setHeaders(res, requestId)
    return answerPreflight(req, res, config.origins)
  }
  const caller = guard.identify(req.headers, req.socket.remoteAddress)
  if (route !== undefined) return serveMcp(parts, route, req, res, caller, requestId)
  app ??= new WeakMap()
  const loading = app.get(parts) ?? import('./app.ts').then(({ createApp }) => createApp(parts))
  app.set(parts, loading)
  const serve = await loading
  serve(req, res, caller, requestId)
}

async function serveMcp(
  parts: FrontParts,
  route: McpRoute,
  req: IncomingMessage,
  res: ServerResponse,
  caller: Caller,
  requestId: string,
): Promise<void> {
  const { telemetry } = parts
  const found = parts.find(route.tool)
  const tool = found instanceof Promise ? await found : found
  parts.guard.see(caller, tool)
  const { traceparent, tracestate } = req.headers
  const parent = typeof traceparent === 'string' ? traceparent : undefined
  const span = telemetry.span(SPANS.request, parent)
  res.once('close', () => {
    span.set('http.response.status_code', res.statusCode)
    span.end()
  })
  const visit: Visit = {
    req,
    res,
    caller,
    headers: [
      ...SECURITY_HEADERS,
      'X-Request-Id',
      requestId,
      ...toolHeaders(parts, tool),
      ...corsHeaders(parts, req),
    ],
    trace: {
      entrance: 'streamable',
      requestId,
      traceparent: span.traceparent,
      ...(typeof tracestate === 'string' ? { tracestate } : {}),
    },
  }
  switch (route.wire) {
    case 'streamable':
      return serveStreamable(parts, tool, visit)
    case 'sse':
      // A POST on this URL is Streamable HTTP, and so is whatever names one of its sessions.
      if (req.method === 'GET' && req.headers['mcp-session-id'] === undefined) {
        return openSse(parts, tool, visit)
      }
      return serveStreamable(parts, tool, visit)
    case 'messages':
      if (req.method === 'POST') return postSse(parts, tool, visit, route.sessionId)
      throw new ToolgateError('method_not_allowed', 'Use POST.', { data: { allow: ['POST'] } })
  }
}

const headersOf = new WeakMap<Declaration, readonly string[]>()

function toolHeaders({ config }: FrontParts, tool: Declaration): readonly string[] {
  let headers = headersOf.get(tool)
  if (headers === undefined) {
    const timeout = `${tool.timeout ?? config.timeouts.call}ms`
    const runtime = tool.runtime.kind
    headers = ['X-MCP-Tool', tool.name, 'X-MCP-Runtime', runtime, 'X-MCP-Timeout', timeout]
    headersOf.set(tool, headers)
  }
  return headers
}

/** For web pages of an allowed origin that is not our own. */
function corsHeaders({ config }: FrontParts, req: IncomingMessage): readonly string[] {
  const { origin } = req.headers
  if (origin === undefined || config.origins.length === 0) return []
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    'Mcp-Session-Id, X-Request-Id, Retry-After',
    'Vary',
    'Origin',
  ]
}

/** What was thrown before an answer began, in the words of the wire it came in on. */
function refuse(
  parts: FrontParts,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  thrown: unknown,
): void {
  const known = toToolgateError(thrown)
  if (known.code === 'internal') {
    parts.telemetry.log.error({ requestId, err: known.cause }, 'request failed')
  }
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return
  }
  if (!req.complete) req.resume()
  if (
    known.code === 'unknown_tool' ||
    known.code === 'not_found' ||
    known.code === 'invalid_name'
  ) {
    parts.telemetry.meters.routingError(known.code)
  }
  const path = (req.url ?? '').split('?', 1)[0] ?? ''
  if (!path.startsWith('/mcp') && !path.endsWith('/sse')) {
    setHeaders(res, requestId)
    allowOrigin(req, res, parts.config.origins)
    sendProblem(res, known, { path, requestId })
    return
  }
  const { error, status } = failureOf(thrown)
  const body = errorMessage(null, error.rpc, error.message, error.data).bytes
  const more: string[] = []
  if (error.code === 'unauthorized') more.push('WWW-Authenticate', 'Bearer')
  if (error.retryAfter !== undefined) more.push('Retry-After', String(error.retryAfter))
  if (error.code === 'method_not_allowed') more.push('Allow', 'GET, POST, DELETE')
  const headers = [...SECURITY_HEADERS, 'X-Request-Id', requestId, ...corsHeaders(parts, req)]
  answerJson({ res, headers }, status === 200 ? error.status : status, body, more)
}

function setHeaders(res: ServerResponse, requestId: string): void {
  for (let i = 0; i < SECURITY_HEADERS.length; i += 2) {
    res.setHeader(SECURITY_HEADERS[i] as string, SECURITY_HEADERS[i + 1] as string)
  }
  res.setHeader('X-Request-Id', requestId)
}

/** What Node could not read as a request is answered too, with the same headers. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  let head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n`
  for (let i = 0; i < SECURITY_HEADERS.length; i += 2) {
    head += `${SECURITY_HEADERS[i]}: ${SECURITY_HEADERS[i + 1]}\r\n`
  }
  socket.end(`${head}\r\n`)
}

/** Bytes and milliseconds. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  noDelay: true,
} as const
