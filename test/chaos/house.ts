import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IMAGE, type TestEngine } from '../harness/engine.ts'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, type Owner, startGateway } from '../harness/gateway.ts'
import { absent } from '../harness/services.ts'
import { openSession } from '../harness/session.ts'
import { callRest, toolView } from '../harness/tool-view.ts'
import type { ToolSource } from '../harness/tools-folder.ts'
import { until } from '../harness/until.ts'
import { nonEmpty, type Remains, remainsOf } from './remains.ts'

/** Why chaos cannot be tested here, or false. */
export const noChaos: string | false =
  process.platform !== 'linux' ? 'what is left can be found on Linux only' : absent('bwrap')

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url))

/** What a tool in a cell is given here. */
export const CELLED = { sandbox: 'required', files: { read: [FIXTURES] } }

/** One tool of each kind; those whose name begins with `leaves` start processes of their own. */
export const TOOLS: Readonly<Record<string, ToolSource>> = {
  celled: { command: fixture('counts-calls'), policy: CELLED, warm: 2 },
  pool: {
    command: fixture('counts-calls'),
    policy: CELLED,
    mode: 'daemon',
    instances: { min: 1, max: 2 },
  },
  own: {
    command: fixture('counts-calls'),
    policy: { ...CELLED, workspace: { access: 'read-write', per: 'session' } },
  },
  out: { command: fixture('counts-calls'), policy: { ...CELLED, network: 'egress' } },
  inline: `
    import { defineTool, fn, inline } from 'toolgate'
    import { z } from 'zod'
    const count = fn({ description: 'Counts.', input: z.looseObject({}), run: () => 'one' })
    export default defineTool({ description: 'In the file.', runtime: inline({ count }) })
  `,
  'leaves-bare': { command: fixture('leaves-grandchild') },
  'leaves-celled': { command: fixture('leaves-grandchild'), policy: CELLED },
}

/** The same in a container, with a network of its own. */
export const BOXED = `
import { container, defineTool } from 'toolgate'
export default defineTool({
  description: 'In a container.',
  runtime: container('${IMAGE}', '/app/counts-calls.mjs'),
  policy: { network: 'egress' },
  warm: 1,
})
`

export interface Resident extends Gateway {
  /** As in the marks of its processes. */
  readonly id: string
  /** When it listened, in milliseconds since the epoch. */
  readonly since: number
  /** All that it has now or, once it is dead, has left. */
  remains(): Promise<Remains>
}

/** A cache and a workspace that one gateway after the other is started with. */
export interface House {
  readonly tools: readonly string[]
  /** Starts one; it may not know its tools yet. */
  start(config?: Readonly<Record<string, unknown>>): Promise<Resident>
}

export interface HouseOptions {
  /** Default: all of `TOOLS`. */
  readonly tools?: Readonly<Record<string, ToolSource>>
  /** There is a tool `boxed`, too. */
  readonly engine?: TestEngine | undefined
}

/** Some of `TOOLS`. */
export function toolsNamed(...names: readonly string[]): Record<string, ToolSource> {
  return Object.fromEntries(Object.entries(TOOLS).filter(([name]) => names.includes(name)))
}

/** How many instances it keeps ready: the spares of `celled` and `boxed`, and the least of `pool`. */
export function keptIn({ tools }: House): Readonly<Record<string, number>> {
  return { celled: 2, pool: 1, ...(tools.includes('boxed') && { boxed: 1 }) }
}

/** Ends with its owner: its gateways first, then its folder. */
export function openHouse(owner: Owner, { tools = TOOLS, engine }: HouseOptions = {}): House {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-chaos-'))
  const ends: (() => Promise<void>)[] = []
  owner.after(async () => {
    for (const end of ends.reverse()) await end()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const [cache, workspace] = [join(folder, 'cache'), join(folder, 'workspace')]
  mkdirSync(workspace)
  const all = { ...tools, ...(engine && { boxed: BOXED }) }
  return {
    tools: Object.keys(all),
    async start(config = {}) {
      const gateway = await startGateway(
        { after: (end) => void ends.push(end) },
        {
          env: { TOOLGATE_CACHE: cache },
          args: ['--workspace', workspace],
          config: { ...CONFIG, ...(engine && { engine: { socket: engine.socket } }), ...config },
          tools: all,
        },
      )
      const id = await until('its lease', () => leaseOf(cache, gateway.pid))
      const { time } = await gateway.waitForLog('listening', ({ msg }) => msg === 'listening')
      const { mark } = gateway.tools
      const remains = remainsOf({ gateway: id, mark, folder, docker: engine?.docker })
      return { ...gateway, id, since: Date.parse(String(time)), remains }
    },
  }
}

const CONFIG = {
  sessions: { resume: '2s' },
  timeouts: { stdin: '500ms', term: '500ms', idle: '1s', drain: '1s' },
  limits: { calls: 1_000_000, per: '1s' },
}

function leaseOf(cache: string, pid: number): string | undefined {
  const folder = join(cache, 'gateways')
  const ours = (name: string) => {
    try {
      return JSON.parse(readFileSync(join(folder, name), 'utf8')).pid === pid
    } catch {
      return false
    }
  }
  return readdirSync(folder, { withFileTypes: true })
    .map(({ name }) => name)
    .find(ours)
}

/** Waits until it is known of tools what they are, which takes its time on a busy machine. */
export async function allKnown(gateway: Gateway, tools: readonly string[]): Promise<void> {
  for (const tool of tools) {
    const isReady = async () => (await toolView(gateway, tool)).state === 'ready'
    await until(`${tool} to be ready`, isReady, 60_000)
  }
}

/** Every tool is known, and answers over MCP and, where it answers at once, over REST. */
export async function allAnswer(gateway: Gateway, tools: readonly string[]): Promise<void> {
  await allKnown(gateway, tools)
  await Promise.all(
    tools.map(async (tool) => {
      const session = await openSession(`${gateway.url}/mcp/${tool}`)
      const [name, args] = tool.startsWith('leaves') ? ['spawn', { detached: true }] : ['count', {}]
      assert.match(await session.callText(name, args), /./)
      await session.end()
      const { status, text } = await callRest(gateway, tool, name, args)
      assert.equal(status, 200, text)
    }),
  )
}

/**
 * Waits until nothing is left of a gateway that has ended, but for kinds that are not looked for;
 * `by` is a time since the epoch.
 */
export async function nothingLeft(
  { remains }: Resident,
  by: number,
  unless: Partial<Remains> = {},
): Promise<void> {
  for (;;) {
    const left = nonEmpty({ ...(await remains()), ...unless })
    if (Object.keys(left).length === 0) return
    assert.ok(Date.now() < by, `still there: ${JSON.stringify(left, null, 2)}`)
    await new Promise((again) => setTimeout(again, 100))
  }
}
