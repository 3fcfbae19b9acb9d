import { ToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { readClientMessage } from '../protocol/read.ts'
import { isLegacyVersion, isModernVersion, LEGACY_VERSIONS } from '../protocol/versions.ts'
import type { Declaration } from '../tool/declaration.ts'
import { answerBatch } from './batch.ts'
import { readBody } from './body.ts'
import { answerEmpty, checkContentType, type Visit } from './door.ts'
import { EventStream } from './event-stream.ts'
import { hear, introduce, settle } from './legacy-link.ts'
import { claimsModern, isModern } from './modern/classify.ts'
import { serveModern } from './modern.ts'
import { PRIMED, Reply, run } from './reply.ts'
import { Session } from './session.ts'
import { parseEventId } from './session-stream.ts'
import { answerAlone } from './sessionless.ts'
import type { WireParts } from './wire.ts'

/** POST, GET and DELETE of MCP Streamable HTTP, every version since 2025-03-26. */
export async function serveStreamable(
  parts: WireParts,
  tool: Declaration,
  visit: Visit,
): Promise<void> {
  const { method, headers } = visit.req
  if (method !== 'POST' && isModernVersion(headers['mcp-protocol-version'])) {
    throw new ToolgateError('method_not_allowed', 'Use POST.', { data: { allow: ['POST'] } })
  }
  switch (method) {
    case 'POST':
      return post(parts, tool, visit)
    case 'GET':
      return listen(parts, tool, visit)
    case 'DELETE':
      return remove(parts, tool, visit)
    default:
      throw new ToolgateError('method_not_allowed', 'Use POST, GET or DELETE.')
  }
}

async function post(parts: WireParts, tool: Declaration, visit: Visit): Promise<void> {
  const { config } = parts
  checkContentType(visit)
  checkAccept(visit, 'application/json', 'text/event-stream')
  const body = await readBody(visit.req, config.sizes.body)
  const messages = readClientMessage(body, { allowBatch: true })
  const [first] = messages as [Message, ...Message[]]
  const batch = isArray(body)
  // Its body says which era a message is of; a session or a header may be of another.
  const modern = messages.some(isModern) || claimsModern(visit.req, first)
  if (modern && batch) throw noBatch()
  if (modern) return serveModern(parts, tool, visit, first)
  const session = sessionOf(parts, tool, visit)
  if (batch && session?.version !== BATCHES) throw noBatch()
  if (session === undefined) return begin(parts, tool, visit, first)
  if (batch) return answerBatch(parts, session, visit, messages)
  if (first.kind !== 'request') {
    hear(parts.dispatch, session, first)
    session.touch()
    return answerEmpty(visit, 202)
  }
  return run(parts, new Reply(session, first, visit, config.sizes.line))
}

/** Without a session: a new one, or one request alone. */
async function begin(
  parts: WireParts,
  tool: Declaration,
  visit: Visit,
  message: Message,
): Promise<void> {
  if (message.kind !== 'request') {
    throw new ToolgateError('bad_request', 'Mcp-Session-Id is needed for this message.')
  }
  if (message.method !== 'initialize') return answerAlone(parts, tool, visit, message)
  const session = parts.sessions.create(tool, visit.caller, visit.trace.traceparent)
  introduce(session, message)
  const reply = new Reply(session, message, visit, parts.config.sizes.line)
  try {
    await parts.sessions.open(session)
    const answer = await parts.dispatch.call(reply)
    if (answer.kind === 'error') session.end('the tool refused to initialize')
    else settle(session, message, answer)
    reply.answer(answer)
  } catch (thrown) {
    session.end('it could not be initialized')
    reply.fail(thrown)
  }
}

/** GET: the server's own stream, or the rest of one that broke. */
function listen(parts: WireParts, tool: Declaration, visit: Visit): void {
  checkAccept(visit, 'text/event-stream')
  const session = sessionOf(parts, tool, visit)
  if (session === undefined) {
    throw new ToolgateError('method_not_allowed', 'GET needs the Mcp-Session-Id of a session.')
  }
  const header = visit.req.headers['last-event-id']
  const last = typeof header === 'string' ? parseEventId(header) : undefined
  if (header !== undefined && last === undefined) {
    throw new ToolgateError('bad_request', 'Last-Event-ID is not one of this session.')
  }
  const stream = session.findStream(last?.stream ?? 0)
  // Nothing of it is left to be sent: to say so stops a client from asking again and again.
  if (stream === undefined) {
    answerEmpty(visit, 204)
    return
  }
  if (last !== undefined && !session.keeps(last.stream, last.sequence)) {
    // Not 404, which would tell the client that its session has ended.
    const message = 'Events after Last-Event-ID are no longer kept (sessions.events, sizes.events).'
    throw new ToolgateError('bad_request', message)
  }
  const closed = session.connect()
  visit.res.once('close', () => closed(!visit.res.writableFinished))
  const live = new EventStream(visit, [], parts.config.sizes.line, () => {})
  stream.attach(live, last?.sequence)
  if (session.version >= PRIMED && last === undefined) stream.prime()
}

/** The first byte that is no white space is a `[`. */
function isArray(body: Buffer): boolean {
  let at = 0
  while (WHITE.has(body[at])) at += 1
  return body[at] === 0x5b
}

/** What JSON has before and between its tokens. */
const WHITE: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d])

/** The one version that has batches. */
const BATCHES = '2025-03-26'

function noBatch(): ToolgateError {
  return new ToolgateError('bad_request', 'One message was expected, not an array of them.')
}

function remove(parts: WireParts, tool: Declaration, visit: Visit): void {
  const session = sessionOf(parts, tool, visit)
  if (session === undefined) {
    throw new ToolgateError('bad_request', 'DELETE needs the Mcp-Session-Id of a session.')
  }
  session.end('the client deleted it')
  answerEmpty(visit, 204)
}

function sessionOf(parts: WireParts, tool: Declaration, visit: Visit): Session | undefined {
  const { headers } = visit.req
  const version = headers['mcp-protocol-version']
  if (version !== undefined && !(typeof version === 'string' && isLegacyVersion(version))) {
    const message = `MCP-Protocol-Version is not supported; known: ${LEGACY_VERSIONS.join(', ')}.`
    throw new ToolgateError('bad_request', message, { data: { supported: LEGACY_VERSIONS } })
  }
  const id = headers['mcp-session-id']
  if (id === undefined) return undefined
  const session = parts.sessions.find(String(id), tool.name, visit.caller)
  if (session instanceof Session) return session
  throw new ToolgateError('unknown_session', 'The session is unknown or has ended.')
}

function checkAccept({ req }: Visit, ...types: string[]): void {
  const accept = req.headers.accept
  if (accept === undefined || accept.includes('*/*')) return
  for (const type of types) {
    if (accept.includes(type)) continue
    throw new ToolgateError('not_acceptable', `Accept must name ${types.join(' and ')}.`)
  }
}
