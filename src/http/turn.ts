import type { Request, Response } from 'express'
import type { Entrance } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import { newId } from '../call/new-id.ts'
import type { Turn, Visit } from '../dispatch/parked.ts'
import { ToolgateError } from '../errors.ts'
import { holdUnsent } from '../inbound/unsent.ts'
import type { JsonObject } from '../protocol/message.ts'
import { requestMessage } from '../protocol/read.ts'
import type { Declaration, FunctionDeclaration } from '../tool/declaration.ts'
import { VERSION } from '../version.ts'
import { bodyOf } from './answer.ts'
import { CallStream } from './call-stream.ts'
import { sealContinuation } from './continuation.ts'
import { asked, type HttpParts } from './parts.ts'
import { known, problemOf } from './problem.ts'

/** What one request over REST is a call of, or goes on with. */
export interface Called {
  readonly tool: Declaration
  readonly declared: FunctionDeclaration
  readonly entrance: Entrance
  /** The function's input; absent where its call waits for this request. */
  readonly input?: unknown
}

/**
 * Takes a call to its end, or to what it asks of its client, and answers with that, whole or as
 * events. Throws what is answered as a problem.
 */
export async function answerTurn(
  parts: HttpParts,
  req: Request,
  res: Response,
  called: Called,
  take: (link: Link, visit: Visit) => Promise<Turn>,
): Promise<void> {
  const { tool, declared } = called
  const stream = wantsEvents(req) ? new CallStream(res) : undefined
  const link = requestLink(req, tool, stream !== undefined)
  try {
    const turn = await take(link, visitOf(req, res, link, called, stream))
    if ('asks' in turn) throw inputRequired(parts, link, declared, turn)
    const body = bodyOf(turn.answer, tool, declared)
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

export function setToolHeaders(parts: HttpParts, res: Response, tool: Declaration): void {
  res.setHeader('X-MCP-Tool', tool.name)
  res.setHeader('X-MCP-Runtime', tool.runtime.kind)
  res.setHeader('X-MCP-Timeout', `${tool.timeout ?? parts.config.timeouts.call}ms`)
}

/** A link for this one request: no session, and what is asked of this client ends its request. */
function requestLink(req: Request, tool: Declaration, events: boolean): Link {
  const { caller, traceparent } = asked(req)
  return {
    id: newId(),
    kind: 'request',
    tool,
    caller,
    era: 'legacy',
    capabilities: CAPABILITIES,
    clientInfo: CLIENT,
    ...(events && { logLevel: 'info' }),
    traceparent,
    deliver: () => {},
    pressure: () => undefined,
    ended: () => {},
  }
}

/** A tool has no business with the folders of whoever sends an HTTP request. */
const CAPABILITIES = { elicitation: { form: {}, url: {} }, sampling: {} }
const CLIENT = { name: 'toolgate-rest', version: VERSION }

function visitOf(
  req: Request,
  res: Response,
  { id }: Link,
  { declared, input, entrance }: Called,
  stream: CallStream | undefined,
): Visit {
  const { requestId, traceparent, tracestate } = asked(req)
  const params = { name: declared.name, arguments: input, _meta: { progressToken: id } }
  return {
    request: requestMessage(id, 'tools/call', params),
    trace: { entrance, requestId, traceparent, ...(tracestate !== undefined && { tracestate }) },
    signal: goneSignal(res),
    notify: (message) => stream?.notify(message),
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

function inputRequired(
  parts: HttpParts,
  { caller, tool }: Link,
  { name }: FunctionDeclaration,
  { asks, state }: Extract<Turn, { state: string }>,
): ToolgateError {
  const message =
    `The function "${name}" asks for input. POST what it asks for to /v1/continuations: ` +
    '{ continuation, inputResponses }, with a result for each key of inputRequests.'
  return new ToolgateError('input_required', message, {
    data: {
      inputRequests: asks,
      continuation: sealContinuation(parts.seal, caller, state, tool, name),
    },
  })
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
