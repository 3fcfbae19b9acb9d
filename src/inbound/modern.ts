import { ToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import type { Declaration } from '../tool/declaration.ts'
import { answerEmpty, type Visit } from './door.ts'
import { checkRequest } from './modern/check.ts'
import { discover } from './modern/discover.ts'
import { ModernLink } from './modern/link.ts'
import { answerListen } from './modern/listen.ts'
import { checkParams } from './modern/param-headers.ts'
import { Patience } from './modern/patience.ts'
import { ModernReply } from './modern/reply.ts'
import { shown } from './modern/shown.ts'
import { takeTurn } from './modern/turn.ts'
import { visitTo } from './tool-headers.ts'
import type { WireParts } from './wire.ts'

/**
 * A POST of MCP 2026-07-28: one request, which says all of itself; no session, no order. Throws
 * only for what is no request; every other refusal is its answer.
 */
export async function serveModern(
  parts: WireParts,
  tool: Declaration,
  visit: Visit,
  message: Message,
): Promise<void> {
  if (message.kind !== 'request') return takeStray(visit, message)
  const reply = new ModernReply(visit, message, parts.config.sizes.line)
  try {
    const meta = checkRequest(visit.req, message)
    const found = parts.find(tool.name)
    const served = found === tool ? tool : await moveTo(parts, found, reply)
    const link = new ModernLink(served, visit, meta, reply)
    switch (message.method) {
      case 'server/discover':
        reply.wait(patience)
        return reply.answer(await discover(parts, link, reply))
      case 'subscriptions/listen':
        return await answerListen(parts, link, reply)
      default:
        return await answerCall(parts, link, visit, reply)
    }
  } catch (thrown) {
    if (!(thrown instanceof ToolgateError)) {
      parts.telemetry.log.error({ requestId: visit.trace.requestId, err: thrown }, 'request failed')
    }
    reply.fail(thrown)
  }
}

/**
 * The tool may have changed while the body came in, and a session of another era, which means
 * nothing here, may have an old version of it: this request is served by the newest.
 */
async function moveTo(
  parts: WireParts,
  found: Declaration | Promise<Declaration>,
  reply: ModernReply,
): Promise<Declaration> {
  const tool = await found
  parts.guard.see(reply.visit.caller, tool)
  reply.visit = visitTo(parts.config, tool, reply.visit)
  return tool
}

async function answerCall(
  parts: WireParts,
  link: ModernLink,
  visit: Visit,
  reply: ModernReply,
): Promise<void> {
  const { request } = reply
  reply.wait(patience)
  if (request.method === 'tools/call') {
    const { params } = request.json()
    const { name, arguments: args } = isObject(params) ? params : {}
    const called = parts.functionOf(link, String(name))
    const { tool, own } = called instanceof Promise ? await called : called
    const learning = checkParams(parts, tool, visit.req, own, args)
    if (learning !== undefined) await learning
    parts.checkScope(link, request)
  }
  reply.answer(shown(parts, link, request, await takeTurn(parts, link, reply)))
}

/** Milliseconds in which an answer may still have a status of its own. */
const patience = new Patience(10_000)

/** No notification of a client means anything here; there is nothing that it could respond to. */
function takeStray(visit: Visit, { kind, method }: Message): void {
  if (kind !== 'notification') {
    throw new ToolgateError('bad_request', 'A modern client sends no responses.')
  }
  if (method?.startsWith('notifications/') !== true) {
    const what = `"${method}" is a request, and a request needs an "id".`
    throw new ToolgateError('bad_request', what)
  }
  answerEmpty(visit, 202)
}
