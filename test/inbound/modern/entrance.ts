import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Link } from '../../../src/call/link.ts'
import type { LearnState } from '../../../src/catalogue/catalogue.ts'
import type { Config } from '../../../src/config/config.ts'
import type { Visit as CallVisit, Turn } from '../../../src/dispatch/parked.ts'
import { Seal } from '../../../src/dispatch/seal.ts'
import { ToolgateError } from '../../../src/errors.ts'
import { answerJson, type Visit } from '../../../src/inbound/door.ts'
import { failureOf } from '../../../src/inbound/failure.ts'
import { Listens } from '../../../src/inbound/modern/listens.ts'
import { serveStreamable } from '../../../src/inbound/streamable.ts'
import { toolHeaders } from '../../../src/inbound/tool-headers.ts'
import type { WireParts } from '../../../src/inbound/wire.ts'
import type { Declaration } from '../../../src/tool/declaration.ts'
import type { Owner } from '../../harness/gateway.ts'

/** How a faked tool ends a turn. */
export type Behaviour = (link: Link, visit: CallVisit) => Promise<Turn> | Turn

/** The modern entrance on a port of its own; what is behind it is faked. */
export interface Entrance {
  readonly url: string
  /** The tool's turns, by method. */
  readonly turns: Map<string, Behaviour>
  /** What was resumed: the call's id and the answers. */
  readonly resumed: [string, unknown][]
  readonly listens: Listens
  readonly calls: [tool: string, entrance: string, outcome: string][]
  readonly errors: unknown[]
  /** What is known of the tool; change it and the next request sees it. */
  learned: LearnState
  tool: Declaration
  caller: string
}

export const TOOL = {
  name: 'fake',
  version: 'v1',
  timeout: null,
  runtime: { kind: 'command', program: 'x', args: [] },
  access: { scopes: [], roles: [] },
} as unknown as Declaration

/** `keys`: as in the configuration. */
export async function openModern(owner: Owner, keys: readonly object[] = []): Promise<Entrance> {
  const config = {
    keys,
    timeouts: { call: 60_000, start: 1000 },
    sessions: { max: 3, perTool: 2 },
    sizes: { body: 1_000_000, line: 1_000_000 },
  } as unknown as Config
  const entrance: Entrance = {
    url: '',
    turns: new Map(),
    resumed: [],
    listens: new Listens(config.sessions),
    calls: [],
    errors: [],
    learned: { state: 'learning' },
    tool: TOOL,
    caller: 'ada',
  }
  const turn = async (link: Link, visit: CallVisit): Promise<Turn> => {
    const behaviour = entrance.turns.get(visit.request.method ?? '')
    if (behaviour === undefined) throw new Error(`Nothing is faked for ${visit.request.method}.`)
    return behaviour(link, visit)
  }
  const parts = {
    config,
    listens: entrance.listens,
    seal: new Seal(null, 60_000),
    parked: {
      begin: turn,
      resume(id: string, link: Link, visit: CallVisit, responses: unknown) {
        entrance.resumed.push([id, responses])
        return turn(link, visit)
      },
    },
    catalogue: {
      look: () => entrance.learned,
      peek: () => entrance.learned,
      async learn() {
        if (entrance.learned.state === 'learned') return entrance.learned.learned
        throw new ToolgateError('not_learned', 'Not yet.', { retryAfter: 1 })
      },
    },
    telemetry: {
      meters: {
        call: (tool: string, from: string, outcome: string) => {
          entrance.calls.push([tool, from, outcome])
        },
      },
      log: { info() {}, error: (fields: object) => entrance.errors.push(fields) },
    },
    sessions: {
      find() {
        throw new ToolgateError('unknown_session', 'The session is unknown or has ended.')
      },
    },
    guard: { see() {} },
    find: () => entrance.tool,
    functionOf: ({ tool }: Link, own: string) => ({ tool, own }),
    checkScope() {},
  } as unknown as WireParts
  const server = createServer(async (req, res) => {
    const caller = { id: entrance.caller, anonymous: false, roles: [], scopes: [] }
    const trace = { entrance: 'streamable', requestId: 'r1' } as const
    // The version that an older session has, as far as this door can know.
    const headers = ['X-Content-Type-Options', 'nosniff', ...toolHeaders(config, TOOL)]
    const visit: Visit = { req, res, caller, trace, headers }
    try {
      const inSession = req.headers['mcp-session-id'] !== undefined
      await serveStreamable(parts, inSession ? TOOL : entrance.tool, visit)
    } catch (thrown) {
      const { status, message, error } = failureOf(thrown)
      answerJson(visit, status === 200 ? error.status : status, message?.bytes ?? Buffer.alloc(0))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  owner.after(async () => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(entrance, { url: `http://127.0.0.1:${port}/mcp/fake` })
}
