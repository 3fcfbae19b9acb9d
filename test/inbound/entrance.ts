import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Call } from '../../src/call/call.ts'
import type { Link } from '../../src/call/link.ts'
import type { Config } from '../../src/config/config.ts'
import type { Dispatch } from '../../src/dispatch/dispatch.ts'
import { ToolgateError } from '../../src/errors.ts'
import { answerJson, type Visit } from '../../src/inbound/door.ts'
import { failureOf } from '../../src/inbound/failure.ts'
import { Sessions } from '../../src/inbound/sessions.ts'
import { openSse, postSse } from '../../src/inbound/sse.ts'
import { serveStreamable } from '../../src/inbound/streamable.ts'
import type { WireParts } from '../../src/inbound/wire.ts'
import type { JsonObject, Message } from '../../src/protocol/message.ts'
import { resultMessage } from '../../src/protocol/read.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import type { Owner } from '../harness/gateway.ts'

/** What a function of the faked tool does with a call: its result. */
export type Behaviour = (call: Call, args: JsonObject) => Promise<unknown> | unknown

/** The legacy entrances on a port of their own, over a waist that is faked. */
export interface Entrance {
  /** Streamable HTTP; HTTP+SSE is at `/sse`. */
  readonly url: string
  readonly links: readonly Link[]
  /** What was told past the entrance: notifications, responses. */
  readonly told: readonly Message[]
  /** Gives every open call up. */
  fail(error: ToolgateError): void
}

export async function openEntrance(
  owner: Owner,
  functions: Readonly<Record<string, Behaviour>>,
): Promise<Entrance> {
  const links: Link[] = []
  const told: Message[] = []
  const open = new Map<Call, (error: Error) => void>()
  const fail = (error: Error, of: (call: Call) => boolean = () => true) => {
    for (const [call, reject] of open) if (of(call)) reject(error)
  }
  const dispatch: Dispatch = {
    open: async (link) => void links.push(link),
    call: (call) =>
      new Promise<Message>((resolve, reject) => {
        open.set(call, reject)
        answer(functions, call).then(resolve, reject)
      }).finally(() => open.delete(call)),
    tell(link, message) {
      told.push(message)
      const { requestId } = Object(message.json().params)
      if (message.method !== 'notifications/cancelled') return
      fail(
        new ToolgateError('cancelled', 'Cancelled.'),
        (call) => call.link === link && call.request.id === requestId,
      )
    },
    close: (link, reason) =>
      fail(new ToolgateError('tool_gone', reason), (call) => call.link === link),
  }
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const sessions = new Sessions(CONFIG, dispatch, { ...log, child: () => ({}) as never })
  const parts = { config: CONFIG, dispatch, sessions, checkScope() {} } as unknown as WireParts
  const server = createServer(async (req, res) => {
    const caller = { id: 'anonymous', anonymous: true, roles: [], scopes: [] }
    const trace = { entrance: 'streamable', requestId: 'r1' } as const
    const visit: Visit = { req, res, caller, trace, headers: [] }
    try {
      await serve(parts, visit)
    } catch (thrown) {
      const { status, message } = failureOf(thrown)
      answerJson(visit, status, message?.bytes ?? new Uint8Array())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  owner.after(async () => {
    sessions.endAll('the test is over')
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp/fake`
  return { url, links, told, fail }
}

const TOOL = { name: 'fake', version: 'v1' } as Declaration

const CONFIG = {
  sessions: { resume: 60_000, idle: 60_000, max: 10, perTool: 10, events: 100 },
  sizes: { body: 1_000_000, line: 1_000_000, events: 1_000_000 },
} as unknown as Config

function serve(parts: WireParts, visit: Visit): Promise<void> {
  const { pathname, searchParams } = new URL(visit.req.url ?? '', 'http://gateway')
  if (pathname.endsWith('/sse')) return openSse(parts, TOOL, visit)
  if (!pathname.endsWith('/messages')) return serveStreamable(parts, TOOL, visit)
  return postSse(parts, TOOL, visit, searchParams.get('sessionId'))
}

async function answer(functions: Readonly<Record<string, Behaviour>>, call: Call) {
  const { id = 0, method = '' } = call.request
  const params = Object(call.request.json().params)
  if (method === 'initialize') {
    const { protocolVersion } = params
    const result = { protocolVersion, capabilities: { tools: {}, logging: {} }, serverInfo: {} }
    return resultMessage(id, result)
  }
  const run = functions[method === 'tools/call' ? params.name : method]
  if (run === undefined) throw new ToolgateError('invalid_params', `Unknown: ${method}`)
  return resultMessage(id, await run(call, params.arguments ?? params))
}
