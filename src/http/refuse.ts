import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { type ToolgateError, toToolgateError } from '../errors.ts'
import { answerJson } from '../inbound/door.ts'
import { failureOf } from '../inbound/failure.ts'
import { errorMessage } from '../protocol/read.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { allowOrigin, corsHeaders } from './cors.ts'
import { pathOf } from './path-of.ts'
import { sendProblem } from './problem.ts'
import { SECURITY_HEADERS, setSecurityHeaders } from './security-headers.ts'

/** What was thrown before an answer began, in the words of the wire it came in on. */
export function refuse(
  { config, telemetry }: { config: Config; telemetry: Telemetry },
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  thrown: unknown,
): void {
  const known = toToolgateError(thrown)
  if (known.code === 'internal') {
    telemetry.log.error({ requestId, err: known.cause }, 'request failed')
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
    telemetry.meters.routingError(known.code)
  }
  const path = pathOf(req)
  if (!MCP.test(path)) {
    setSecurityHeaders(res, requestId)
    allowOrigin(req, res, config.origins)
    sendProblem(res, known, { path, requestId })
    return
  }
  const { error, status, message } = failureOf(thrown)
  const body = (message ?? errorMessage(null, error.rpc, error.message)).bytes
  const more: string[] = []
  if (error.code === 'unauthorized') more.push('WWW-Authenticate', 'Bearer')
  if (error.retryAfter !== undefined) more.push('Retry-After', String(error.retryAfter))
  if (error.code === 'method_not_allowed') more.push('Allow', allowedIn(error))
  const headers = [
    ...SECURITY_HEADERS,
    'X-Request-Id',
    requestId,
    ...corsHeaders(req, config.origins),
  ]
  answerJson({ res, headers }, status === 200 ? error.status : status, body, more)
}

/** The MCP routes; `/mcp/invoke` is a REST operation. */
const MCP = /^\/mcp(?:\/(?!invoke$).*)?$|^\/[^/]+\/sse$/

function allowedIn({ data }: ToolgateError): string {
  return Array.isArray(data?.allow) ? data.allow.join(', ') : 'GET, POST, DELETE'
}

/** What Node could not read as a request is answered too, with the same headers. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
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
  socket.destroySoon()
}
