import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Call } from '../../src/call/call.ts'
import type { LearnState } from '../../src/catalogue/catalogue.ts'
import type { Config } from '../../src/config/config.ts'
import type { Dispatch } from '../../src/dispatch/dispatch.ts'
import { Parked, type ParkedCalls } from '../../src/dispatch/parked.ts'
import { Seal } from '../../src/dispatch/seal.ts'
import { ToolgateError } from '../../src/errors.ts'
import { createApp } from '../../src/http/app.ts'
import type { Health } from '../../src/http/health.ts'
import type { HttpParts } from '../../src/http/parts.ts'
import { Directories } from '../../src/inbound/aggregate/directories.ts'
import type { Message } from '../../src/protocol/message.ts'
import { errorMessage, notificationMessage, resultMessage } from '../../src/protocol/read.ts'
import type { ToolEntry } from '../../src/registry/registry.ts'
import type { LogFields } from '../../src/telemetry/log.ts'
import type { Declaration, FunctionDeclaration } from '../../src/tool/declaration.ts'

/** What a faked function does with a call. */
export type Behaviour = (call: Call) => Promise<Message> | Message

/** Everything around the app, in memory: change a map and the next request sees it. */
export interface House {
  readonly server: Server
  readonly url: string
  readonly entries: Map<string, ToolEntry>
  readonly learned: Map<string, LearnState>
  readonly behaviours: Map<string, Behaviour>
  /** Names of tools that the caller may not see. */
  readonly hidden: Set<string>
  /** What happened at the waist, such as `open calculator`. */
  readonly waist: string[]
  readonly logged: LogFields[]
  readonly health: { now: Health }
  readonly parked: ParkedCalls
  changed(tool: string): void
  close(): Promise<void>
}

const number = { type: 'string' }
const CALCULATE: FunctionDeclaration = {
  name: 'calculate',
  inputSchema: {
    type: 'object',
    properties: {
      operator: { enum: ['add', 'subtract'] },
      operands: { type: 'array', items: number },
    },
    required: ['operator', 'operands'],
  },
  outputSchema: { type: 'object', properties: { result: number }, required: ['result'] },
}

/** The caller of a request is named by its header `X-Caller`; without, it is anonymous. */
export async function openHouse(sizes = { body: 1_000 }): Promise<House> {
  const entries = new Map<string, ToolEntry>()
  const learned = new Map<string, LearnState>()
  const behaviours = new Map<string, Behaviour>()
  const hidden = new Set<string>()
  const waist: string[] = []
  const logged: LogFields[] = []
  const listeners: ((tool: string) => void)[] = []
  const health = { now: wellHealth() }
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: LogFields) => logged.push(fields),
  }
  const config = {
    sizes,
    origins: ['https://page.example'],
    timeouts: { call: 60_000, ask: 60_000 },
    sessions: { parked: 4, max: 100 },
  } as unknown as Config
  const dispatch: Dispatch = {
    open: async (link) => void waist.push(`open ${link.tool.name}`),
    async call(call) {
      const params = call.request.json().params as { name: string }
      const behaviour = behaviours.get(`${call.link.tool.name}/${params.name}`)
      if (behaviour === undefined) return errorMessage(call.request.id ?? null, -32602, 'Unknown')
      return behaviour(call)
    },
    tell() {},
    close: (link, reason) => void waist.push(`close ${link.tool.name} ${reason}`),
  }
  const seal = new Seal(null, config.timeouts.ask)
  const parts: HttpParts = {
    config,
    registry: {
      list: () => [...entries.values()],
      get: (name) => entries.get(name),
      onChange: (listener) => void listeners.push((tool) => listener(tool, entries.get(tool))),
      settled: Promise.resolve(),
      close: async () => {},
    },
    catalogue: {
      look: (tool) => learned.get(tool.name) ?? { state: 'learning' },
      peek: (tool) => learned.get(tool.name),
      learn: () => Promise.reject(new ToolgateError('not_learned', 'Not yet.', { retryAfter: 2 })),
      spoken: () => ({ era: 'legacy', dual: false }),
      onChange: (listener) => void listeners.push(listener),
    },
    guard: {
      identify({ 'x-caller': id }) {
        const anonymous = typeof id !== 'string'
        return { id: anonymous ? 'anonymous' : id, anonymous, roles: [], scopes: [] }
      },
      see(_caller, tool) {
        if (hidden.has(tool.name)) throw new ToolgateError('forbidden', 'Not for you.')
      },
      admit: async () => {},
      serve() {},
      forget() {},
      close() {},
    },
    dispatch,
    parked: new Parked({ config, dispatch, serves: () => true }),
    seal,
    telemetry: {
      log: { ...log, child: () => ({ ...log, child: () => ({}) as never }) },
      meters: { routingError() {} } as unknown as HttpParts['telemetry']['meters'],
      span: (_name, parent) => ({
        traceId: 't',
        traceparent: parent ?? '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        set() {},
        end() {},
      }),
      close: async () => {},
    },
    // Nothing is kept: a test changes what is known, and who may see it, as it likes.
    listed: (caller, name) => new Directories(parts).now(caller).listed(name),
    health: () => health.now,
    instances: () => ({ running: 2, sessions: 1 }),
    cell: async () => ({
      kind: 'none',
      lines: [{ what: 'network', rule: 'none', by: null }],
      refusals: [],
    }),
    running: () => [
      { id: 'a.1', since: 0, usage: { cpu: 10, memory: 2048, read: 5, written: null } },
      { id: 'a.2', since: 1, usage: null },
    ],
  }
  const app = await createApp(parts)
  const server = createServer((req, res) => {
    const caller = parts.guard.identify(req.headers, undefined)
    res.setHeader('Content-Security-Policy', "default-src 'none'")
    res.setHeader('X-Request-Id', 'r1')
    app(req, res, caller, 'r1')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    learned,
    behaviours,
    hidden,
    waist,
    logged,
    health,
    parked: parts.parked,
    changed: (tool) => {
      for (const listener of listeners) listener(tool)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Adds a tool that is ready and has these functions. */
export function addTool(
  house: House,
  name: string,
  functions: readonly FunctionDeclaration[],
  more: Partial<Declaration> = {},
): void {
  house.entries.set(name, {
    name,
    file: `/tools/${name}.ts`,
    state: 'ready',
    declaration: declare(name, more),
  })
  const lists = { functions, prompts: [], resources: [], templates: [] }
  const learned = { era: 'legacy' as const, dual: false, initialize: {}, ...lists }
  house.learned.set(name, { state: 'learned', learned })
  house.changed(name)
}

/** The calculator of the samples: adds in whole numbers. */
export function addCalculator(house: House): void {
  addTool(house, 'calculator', [CALCULATE], { timeout: 1_000 })
  house.behaviours.set('calculator/calculate', (call) => {
    const { operands } = inputOf(call) as { operands: string[] }
    const sum = String(operands.reduce((total, each) => total + Number(each), 0))
    return result(call, {
      content: [{ type: 'text', text: sum }],
      structuredContent: { result: sum },
    })
  })
}

export function declare(name: string, more: Partial<Declaration> = {}): Declaration {
  return {
    name,
    version: 'v1',
    file: `/tools/${name}.ts`,
    description: `The ${name}.`,
    tags: ['sample'],
    runtime: { kind: 'command', program: 'x', args: [] },
    mode: 'daemon',
    timeout: null,
    idle: null,
    policy: { secrets: {} },
    ...more,
  } as Declaration
}

export function inputOf(call: Call): unknown {
  return (call.request.json().params as { arguments: unknown }).arguments
}

export function result(call: Call, value: unknown): Message {
  return resultMessage(call.request.id ?? 0, value)
}

export function progress(call: Call, done: number, message?: string): Message {
  const params = call.request.json().params as { _meta: { progressToken: string } }
  const { progressToken } = params._meta
  return notificationMessage('notifications/progress', {
    progressToken,
    progress: done,
    total: 3,
    ...(message !== undefined && { message }),
  })
}

function wellHealth(): Health {
  return {
    version: '0.1.0',
    uptime: 1,
    reasons: [],
    tools: { ready: 1 },
    sessions: 0,
    instances: 0,
    components: { tools: { status: 'up', needed: true } },
  }
}
