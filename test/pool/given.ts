import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { TestContext } from 'node:test'
import type { Call } from '../../src/call/call.ts'
import type { Link } from '../../src/call/link.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Spoken } from '../../src/pool/lease.ts'
import { Pool } from '../../src/pool/pool.ts'
import { requestMessage } from '../../src/protocol/read.ts'
import { EgressDoors } from '../../src/runtime/egress/doors.ts'
import type { LogFields, Logger } from '../../src/telemetry/log.ts'
import { createTelemetry } from '../../src/telemetry/setup.ts'
import type { Declaration } from '../../src/tool/declaration.ts'
import { NOTHING } from '../../src/tool/nothing.ts'
import { fixture } from '../harness/fixtures.ts'
import type { LogLine } from '../harness/gateway.ts'
import { textOf } from '../harness/session.ts'

export const LEGACY: Spoken = { era: 'legacy', dual: false }
export const MODERN: Spoken = { era: 'modern', dual: false }
export const DUAL: Spoken = { era: 'modern', dual: true }
/** What a client can be asked for. */
export const ASKABLE = { elicitation: {}, sampling: {} }

export interface PoolGiven {
  readonly pool: Pool
  readonly logs: readonly LogLine[]
  /** Processes that were started so far, those of probes left out. */
  starts(): number
}

export interface PoolOptions {
  /** Most processes of a tool. */
  readonly perTool?: number
  /** Caps of all, and the queue; the most that may wait is 0 where nothing is said. */
  readonly pool?: Partial<Config['pool']>
  readonly spoken?: Spoken | ((tool: Declaration) => Spoken | Promise<Spoken>)
  readonly changed?: (tool: string) => void
  /** Milliseconds. */
  readonly start?: number
}

/** A pool of real processes, which end with the test. */
export async function openPool(t: TestContext, options: PoolOptions = {}): Promise<PoolGiven> {
  const { perTool, pool: own, spoken = LEGACY, changed = () => {}, start } = options
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-pool-'))
  const { config } = await loadConfig({
    cwd: dir,
    env: { PATH: process.env.PATH, TOOLGATE_CACHE: join(dir, 'cache') },
    flags: { tools: dir, workspace: join(dir, 'workspace') },
  })
  const configured = {
    ...config,
    pool: { ...config.pool, queue: 0, ...own },
    sessions: { ...config.sessions, ...(perTool !== undefined && { perTool }) },
    timeouts: { ...config.timeouts, stdin: 500, term: 500, ...(start !== undefined && { start }) },
  }
  const logs: LogLine[] = []
  const telemetry = { ...createTelemetry(configured, new PassThrough()), log: logTo(logs) }
  const { log, meters } = telemetry
  const egress = new EgressDoors({ cache: configured.cache, log, meters, ownPorts: () => [] })
  const pool = new Pool(
    { config: configured, telemetry, egress },
    { spoken: typeof spoken === 'function' ? spoken : () => spoken, listChanged: changed },
  )
  t.after(async () => {
    await pool.close('the test ends')
    await telemetry.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  const starts = () =>
    logs.filter(({ msg, probe }) => msg === 'instance started' && probe !== true).length
  return { pool, logs, starts }
}

/** Lines as they are written, none of them late. */
function logTo(lines: LogLine[], above: LogFields = {}): Logger {
  const line = (fields: LogFields, msg: string) => void lines.push({ ...above, ...fields, msg })
  const child = (fields: LogFields) => logTo(lines, { ...above, ...fields })
  return { debug: line, info: line, warn: line, error: line, child }
}

/** A tool that is a fixture with arguments. */
export function toolOf(
  name: string,
  more: Partial<Declaration> = {},
  ...args: string[]
): Declaration {
  const [program = '', ...rest] = fixture(name, ...args)
  return {
    name,
    version: 'v1',
    file: `/tools/${name}.ts`,
    description: 'A tool under test.',
    tags: [],
    runtime: { kind: 'command', program, args: rest },
    policy: POLICY,
    mode: 'launcher',
    instances: { min: 0, max: 1 },
    warm: { spares: 0, initialized: false },
    timeout: null,
    idle: null,
    limits: null,
    era: null,
    ...more,
  } as unknown as Declaration
}

/** Nothing is given, and nothing kept apart: what is under test is not the cell. */
export const POLICY: Declaration['policy'] = { ...NOTHING, sandbox: 'none' }

let links = 0

/** One request of a caller; null: an anonymous one. */
export function linkOf(
  tool: Declaration,
  caller: string | null = 'ann',
  more: Partial<Link> = {},
): Link {
  return {
    id: `link-${++links}`,
    kind: 'request',
    tool,
    caller: { id: caller ?? 'anonymous', anonymous: caller === null, roles: [], scopes: [] },
    era: 'modern',
    capabilities: {},
    deliver: () => {},
    pressure: () => undefined,
    ended: () => {},
    ...more,
  }
}

let ids = 0

export function callOf(link: Link, method: string, params = {}): Call {
  const request = requestMessage(++ids, method, params)
  return { link, request, trace: { entrance: 'modern', requestId: `r${ids}` }, notify: () => {} }
}

/** One function called as the waist does it; what its text is as JSON. */
export async function callFunction(
  { pool }: PoolGiven,
  link: Link,
  name: string,
  args: object = {},
): Promise<Record<string, unknown>> {
  const lease = await pool.lease(link)
  const call = callOf(link, 'tools/call', { name, arguments: args, _meta: metaOf(link) })
  lease.begin(call)
  try {
    const connection = await lease.connection(call)
    return JSON.parse(textOf((await connection.call(call)).json()))
  } finally {
    lease.end(call)
    lease.release('answered')
  }
}

function metaOf({ capabilities }: Link) {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
}
