import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import { ALL_TOOLS } from '../inbound/aggregate/all-tools.ts'
import type { Visit } from '../inbound/door.ts'
import type { McpRoute } from '../inbound/route.ts'
import { openSse, postSse } from '../inbound/sse.ts'
import { serveStreamable } from '../inbound/streamable.ts'
import { toolHeaders } from '../inbound/tool-headers.ts'
import type { WireParts } from '../inbound/wire.ts'
import { SPANS } from '../telemetry/names.ts'
import type { Declaration } from '../tool/declaration.ts'
import { corsHeaders } from './cors.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Hands a request on an MCP route to its wire. */
export async function serveMcp(
  parts: WireParts,
  route: McpRoute,
  req: IncomingMessage,
  res: ServerResponse,
  caller: Caller,
  requestId: string,
): Promise<void> {
  const { telemetry } = parts
  const found = sessionTool(parts, route, req, caller) ?? parts.find(route.tool)
  const tool = found instanceof Promise ? await found : found
  // Nobody is there any more, and will not say so again.
  if (res.destroyed) return
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
      ...(tool === ALL_TOOLS ? [] : toolHeaders(parts.config, tool)),
      ...corsHeaders(req, parts.config.origins),
    ],
    trace: {
      entrance: 'streamable',
      requestId,
      traceparent: span.traceparent,
      ...(typeof tracestate === 'string' && tracestate.length <= 512 ? { tracestate } : {}),
    },
  }
  switch (route.wire) {
    case 'streamable':
      return serveStreamable(tool === ALL_TOOLS ? forAll(parts, caller) : parts, tool, visit)
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

/** To each caller all tools are others. */
function forAll(parts: WireParts, caller: Caller): WireParts {
  return { ...parts, catalogue: parts.catalogueFor(caller) }
}

/** A session goes on with its version, whatever has become of the file since. */
function sessionTool(
  { sessions }: WireParts,
  { tool, sessionId }: McpRoute,
  req: IncomingMessage,
  caller: Caller,
): Declaration | undefined {
  const id = req.headers['mcp-session-id'] ?? sessionId
  return typeof id === 'string' ? sessions.toolOf(id, tool, caller) : undefined
}
