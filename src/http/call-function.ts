import type { Request, Response } from 'express'
import type { Entrance } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { check } from '../contract/check.ts'
import { inputOf } from '../contract/closed.ts'
import type { FieldError } from '../contract/expected.ts'
import { ToolgateError } from '../errors.ts'
import { newSessionId } from '../inbound/sessions.ts'
import { holdUnsent } from '../inbound/unsent.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { requestMessage } from '../protocol/read.ts'
import type { Declaration, FunctionDeclaration, JsonSchema } from '../tool/declaration.ts'
import { bodyOf } from './answer.ts'
import { exactBody } from './body.ts'
import { CallStream } from './call-stream.ts'
import { findFunction, findTool } from './find-tool.ts'
import { asked, type HttpParts } from './parts.ts'
import { known, problemOf } from './problem.ts'

/** `POST /v1/tools/{tool}/{function}`. */
export function callFunction(parts: HttpParts) {
  return async (req: Request, res: Response): Promise<void> => {
    const { tool, function: name } = req.params as { tool: string; function: string }
    await answerCall(parts, req, res, {
      tool: await findTool(parts, asked(req).caller, tool),
      function: name,
      input: req.body,
      at: '/body',
      exact: exactBody(req),
      entrance: 'rest',
    })
  }
}

/** One call over REST, of a tool that the caller may see. */
export interface RestCall {
  readonly tool: Declaration
  readonly function: string
  readonly input: unknown
  /** JSON pointer to the input in the request. */
  readonly at: '/body' | '/body/arguments'
  /** The same with every number as it was written; this is what the tool gets. */
  readonly exact: unknown
  readonly entrance: Entrance
}

/** Checks, calls and answers, whole or as events. Throws what is answered as a problem. */
export async function answerCall(
  parts: HttpParts,
  req: Request,
  res: Response,
  call: RestCall,
): Promise<void> {
  const { tool } = call
  setToolHeaders(parts, res, tool)
  const declared = await findFunction(parts, tool, call.function)
  refuseWrongInput(declared, call)
  const stream = wantsEvents(req) ? new CallStream(res) : undefined
  try {
    const notify = (message: Message) => stream?.notify(message)
    const answer = await dispatchCall(parts, req, res, call, notify)
    const body = bodyOf(answer, tool, declared)
    if (stream === undefined) sendJson(res, body)
    else stream.result(body)
  } catch (thrown) {
    if (stream?.started !== true) throw thrown
    const { requestId } = asked(req)
    const error = known(thrown)
    if (error.code === 'internal') {
      parts.telemetry.log.error({ requestId, tool: tool.name, err: error.cause }, 'call failed')
    }
    stream.error(problemOf(error, { path: req.path, requestId }))
  }
}

async function dispatchCall(
  parts: HttpParts,
  req: Request,
  res: Response,
  call: RestCall,
  notify: (message: Message) => void,
): Promise<Message> {
  const { caller, requestId, traceparent, tracestate } = asked(req)
  const link = requestLink(call.tool, caller, traceparent)
  const signal = goneSignal(res)
  await parts.dispatch.open(link)
  try {
    signal.throwIfAborted()
    return await parts.dispatch.call({
      link,
      request: requestMessage(link.id, 'tools/call', callParams(call, link.id)),
      signal,
      trace: {
        entrance: call.entrance,
        requestId,
        traceparent,
        ...(tracestate !== undefined && { tracestate }),
      },
      notify,
    })
  } finally {
    parts.dispatch.close(link, 'done')
  }
}

function callParams(call: RestCall, progressToken: string): JsonObject {
  return { name: call.function, arguments: call.exact, _meta: { progressToken } }
}

/** A link for this one request: no session, and nothing can be asked of this client. */
function requestLink(tool: Declaration, caller: Link['caller'], traceparent: string): Link {
  return {
    id: newSessionId(),
    kind: 'request',
    tool,
    caller,
    era: 'legacy',
    capabilities: {},
    traceparent,
    deliver: () => {},
    pressure: () => undefined,
    ended: () => {},
  }
}

/** Over REST a client that goes away has given its call up. */
function goneSignal(res: Response): AbortSignal {
  const controller = new AbortController()
  const gone = () => controller.abort(new ToolgateError('cancelled', 'The client went away.'))
  if (res.destroyed) gone()
  res.once('close', () => {
    if (!res.writableFinished) gone()
  })
  return controller.signal
}

/** A schema that does not compile refuses nothing here: the tool is the judge then. */
function refuseWrongInput(declared: FunctionDeclaration, { tool, input, at }: RestCall): void {
  const errors = wrongInput(inputOf(tool, declared), input).map((error) => ({
    ...error,
    path: `${at}${error.path.slice('/body'.length)}`,
  }))
  if (errors.length === 0) return
  const message = `${errors.map((error) => `${error.path} ${error.message}`).join('; ')}.`
  throw new ToolgateError('invalid_params', message, { data: { errors } })
}

function wrongInput(schema: JsonSchema, input: unknown): readonly FieldError[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return [{ path: '/body', message: 'must be object', expected: 'object' }]
  }
  const checked = check(schema)
  return checked.ok ? checked.validate(input) : []
}

/** Too much that is unread already: the answer is not kept, so that one client costs no other. */
function sendJson(res: Response, body: JsonObject): void {
  const bytes = Buffer.from(JSON.stringify(body))
  if (!holdUnsent(res, bytes.length)) {
    throw new ToolgateError('unavailable', TOO_MUCH, { retryAfter: 5 })
  }
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.send(bytes)
}

const TOO_MUCH = 'Too much that was answered is not read yet, so this answer is not kept.'

function wantsEvents(req: Request): boolean {
  return req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream'
}

function setToolHeaders(parts: HttpParts, res: Response, tool: Declaration): void {
  res.setHeader('X-MCP-Tool', tool.name)
  res.setHeader('X-MCP-Runtime', tool.runtime.kind)
  res.setHeader('X-MCP-Timeout', `${tool.timeout ?? parts.config.timeouts.call}ms`)
}
