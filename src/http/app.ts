import type { IncomingMessage, ServerResponse } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import { SPANS } from '../telemetry/names.ts'
import { allowedAt } from './allowed.ts'
import { readJson } from './body.ts'
import { callFunction } from './call-function.ts'
import { continueCall } from './continue-call.ts'
import { allowOrigin, answerPreflight, isPreflight } from './cors.ts'
import { answerHealth } from './health.ts'
import { invoke } from './invoke.ts'
import { listTools } from './list-tools.ts'
import { LiveContract } from './live-contract.ts'
import { openapi } from './openapi.ts'
import { asked, type HttpParts, remember } from './parts.ts'
import { known, sendProblem } from './problem.ts'
import { showTool } from './show-tool.ts'
import { validateRequests } from './validator.ts'

/** Answers a request that passed the front door. */
export type HttpApp = (
  req: IncomingMessage,
  res: ServerResponse,
  caller: Caller,
  requestId: string,
) => void

/**
 * The REST face. Importing this file is heavy (Express, the validator, zod): import it on the
 * first request that needs it.
 */
export async function createApp(parts: HttpParts): Promise<HttpApp> {
  const app = assemble(parts)
  return (req, res, caller, requestId) => {
    const { traceparent, tracestate } = req.headers
    const span = parts.telemetry.span(SPANS.request, one(traceparent), {
      'http.request.method': req.method ?? '',
    })
    remember(req, {
      caller,
      requestId,
      traceparent: span.traceparent,
      ...(typeof tracestate === 'string' && tracestate.length <= 512 && { tracestate }),
    })
    res.once('close', () => {
      span.set('http.response.status_code', res.statusCode)
      span.end()
    })
    app(req, res)
  }
}

/** From top to bottom, what a request goes through. */
function assemble(parts: HttpParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('query parser', 'simple')
  const contract = new LiveContract(parts)
  app.use(crossOrigin(parts))
  app.use(plainMethods)
  app.use(readJson(parts.config.sizes.body))
  app.use(validateRequests())
  app.get('/v1/tools', listTools(parts))
  app.get('/v1/tools/:tool', showTool(parts))
  app.post('/v1/tools/:tool/:function', callFunction(parts))
  app.post('/v1/continuations', continueCall(parts))
  app.post('/mcp/invoke', invoke(parts))
  app.get('/openapi.json', openapi(contract, 'json'))
  app.get('/openapi.yaml', openapi(contract, 'yaml'))
  app.get(['/healthz', '/ready', '/health'], (req, res) => {
    answerHealth(req, res, parts.health, asked(req).requestId)
  })
  app.use(nothingThere(parts))
  app.use(failed(parts))
  return app
}

function crossOrigin(parts: HttpParts): RequestHandler {
  return (req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    if (isPreflight(req)) return answerPreflight(req, res, parts.config.origins)
    allowOrigin(req, res, parts.config.origins)
    next()
  }
}

/** HEAD is checked and answered as GET is: Node leaves the body out. */
const plainMethods: RequestHandler = (req, res, next) => {
  const allowed = req.method === 'OPTIONS' ? allowedAt(req.path) : []
  if (allowed.length > 0) {
    res.setHeader('Allow', [...allowed, 'OPTIONS'].join(', '))
    res.status(204).end()
    return
  }
  if (req.method === 'HEAD') req.method = 'GET'
  next()
}

function nothingThere(parts: HttpParts): RequestHandler {
  return () => {
    parts.telemetry.meters.routingError('not_found')
    throw new ToolgateError('not_found', 'There is no such route. See /docs.')
  }
}

/** The last stop of everything thrown: a stranger gets a status, the log gets the cause. */
function failed(parts: HttpParts): ErrorRequestHandler {
  return (thrown, req, res, _next) => {
    const { requestId } = asked(req)
    const error = known(thrown)
    if (error.code === 'internal') {
      parts.telemetry.log.error({ requestId, err: error.cause }, 'request failed')
    }
    sendProblem(res, error, { path: req.path, requestId })
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
