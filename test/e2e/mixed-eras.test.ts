import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { createGateway } from '../../src/gateway.ts'
import { createTelemetry } from '../../src/telemetry/setup.ts'
import { fixture } from '../harness/fixtures.ts'
import { type ModernOptions, modern, modernRequest } from '../harness/modern.ts'
import { descendants } from '../harness/processes.ts'
import { abortRequest, raw } from '../harness/raw.ts'
import { type Json, openSession, resultOf } from '../harness/session.ts'
import { toolsFolder } from '../harness/tools-folder.ts'
import { until } from '../harness/until.ts'

const hash = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`
const KEYS = ['ada', 'bob'].map((id) => ({ id, hash: hash(id) }))
const ELICITATION = { capabilities: { elicitation: { form: {} } } }
const QUESTION = {
  method: 'elicitation/create',
  params: { message: 'Well?', requestedSchema: { type: 'object', properties: {} } },
}

test('2,000 calls of either era, left and cancelled at random, leave nothing behind', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-mixed-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  for (const folder of ['tools', 'workspace']) mkdirSync(join(dir, folder))
  const common = { limits: { calls: 1_000_000, per: '1s' }, idle: '1s', timeout: '10s' }
  const tools = toolsFolder(join(dir, 'tools'), 'mixed')
  tools.write('modern', { command: fixture('modern-echo'), mode: 'daemon', ...common })
  tools.write('modernOwn', { command: fixture('modern-echo'), ...common })
  tools.write('legacy', { command: fixture('echo'), mode: 'daemon', ...common })
  tools.write('asks', { command: fixture('asks'), ...common })
  writeFileSync(
    join(dir, 'gateway.yaml'),
    JSON.stringify({
      keys: KEYS,
      timeouts: { ask: '5s' },
      sessions: { resume: '1s', idle: '2s', parked: 64 },
      log: { level: 'error' },
    }),
  )
  const { config } = await loadConfig({
    cwd: dir,
    env: { PATH: process.env.PATH, TOOLGATE_CACHE: join(dir, 'cache') },
    flags: {
      config: join(dir, 'gateway.yaml'),
      tools: tools.dir,
      workspace: join(dir, 'workspace'),
      port: '0',
      'metrics-port': '0',
    },
  })
  const telemetry = createTelemetry(config)
  const gateway = await createGateway(config, { telemetry })
  t.after(async () => {
    await gateway.close('the test ends')
    await telemetry.close()
  })
  await gateway.registry.settled
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on('warning', warn)
  t.after(() => void process.off('warning', warn))

  const metricsUrl = gateway.metricsUrl ?? ''
  const rest = () =>
    until('rest', async () => descendants(process.pid).length === 0 && (await isAtRest()), 30_000)
  const isAtRest = async () => (await busy(metricsUrl)).length === 0
  await load(gateway.url, 80, 1)
  await rest()
  const before = held()
  const seen = await load(gateway.url, 2000, 2)
  await rest()
  await until('the baseline', () => {
    const now = held()
    return now.listeners === before.listeners && now.handles <= before.handles
  })
  assert.deepEqual(await busy(metricsUrl), [])
  assert.deepEqual(warnings, [])
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)))
  for (const what of ['answered', 'asked', 'completed', 'left', 'session', 'rest', 'listened'])
    assert.ok((seen.get(what) ?? 0) > 50, `${what}: ${seen.get(what)}`)
  assert.equal(seen.get('failed') ?? 0, 0)
})

type Seen = Map<string, number>

/** So many calls, twenty at a time, each with a random end. The seed is fixed: a failure repeats. */
async function load(url: string, calls: number, seed: number): Promise<Seen> {
  const seen: Seen = new Map()
  const count = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const random = randomFrom(seed)
  let left = calls
  const worker = async () => {
    while (left-- > 0) {
      const kind = KINDS[Math.floor(random() * KINDS.length)] as Kind
      const who = random() < 0.5 ? 'ada' : 'bob'
      const one = { url, count, random, headers: { authorization: `Bearer ${who}` } }
      await kind(one).catch((error: Error) => {
        count('failed')
        seen.set(`${kind.name}: ${error.message.slice(0, 200)}`, 1)
      })
    }
  }
  await Promise.all(Array.from({ length: 20 }, worker))
  return seen
}

interface One {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  count(what: string): void
  random(): number
}

type Kind = (one: One) => Promise<void>

const KINDS: readonly Kind[] = [
  (one) => answered(one, 'modern'),
  (one) => answered(one, 'modernOwn'),
  (one) => answered(one, 'legacy'),
  async function waits(one) {
    const params = { name: 'wait', arguments: {}, _meta: { progressToken: 1 } }
    await leave(one, 'modern', 'tools/call', params)
  },
  (one) => asked(one, 'modern', {}),
  (one) => asked(one, 'asks', QUESTION),
  (one) => asked(one, 'asks', QUESTION),
  async function listens(one) {
    const tool = one.random() < 0.5 ? 'modern' : 'legacy'
    await leave(one, tool, 'subscriptions/listen', { notifications: { toolsListChanged: true } })
    one.count('listened')
  },
  async function session(one) {
    const tool = one.random() < 0.8 ? 'legacy' : 'modern'
    const { url, headers } = one
    const opened = await openSession(`${url}/mcp/${tool}`, { headers, ...ELICITATION })
    await opened.request('tools/call', { name: 'echo', arguments: { a: 1 } })
    // The others are left to the sweeper.
    if (one.random() < 0.7) await opened.end()
    one.count('session')
  },
  async function rest(one) {
    const { url, headers } = one
    const tool = one.random() < 0.5 ? 'modern' : 'asks'
    const name = tool === 'modern' ? 'echo' : 'ask'
    const options = { method: 'POST', headers, body: tool === 'modern' ? {} : QUESTION }
    const reply = await raw(`${url}/v1/tools/${tool}/${name}`, options)
    // A question that is never answered ends with its time.
    assert.equal(reply.status, tool === 'modern' ? 200 : 409, reply.text)
    one.count('rest')
  },
]

async function answered(one: One, tool: string): Promise<void> {
  const params = { name: 'echo', arguments: { text: String(one.random()) } }
  if (one.random() < 0.2) return leave(one, tool, 'tools/call', params)
  const reply = await modern(`${one.url}/mcp/${tool}`, 'tools/call', params, one)
  assert.equal(reply.status, 200, reply.text)
  assert.match(reply.text, /complete/)
  one.count('answered')
}

/** Asked once, then answered, left while it is answered, or never answered. */
async function asked(one: One, tool: string, args: Json): Promise<void> {
  const url = `${one.url}/mcp/${tool}`
  const options: ModernOptions = { ...ELICITATION, headers: one.headers }
  const params = { name: 'ask', arguments: args }
  const first = resultOf((await modern(url, 'tools/call', params, options)).json())
  assert.equal(first.resultType, 'input_required', JSON.stringify(first))
  one.count('asked')
  const { inputRequests, requestState } = first as { inputRequests: Json; requestState?: string }
  const answer = { action: 'accept', content: { name: 'ada' } }
  const again = {
    ...params,
    requestState,
    inputResponses: Object.fromEntries(Object.keys(inputRequests).map((key) => [key, answer])),
  }
  const chance = one.random()
  if (chance < 0.3) return
  if (chance < 0.5) return leave(one, tool, 'tools/call', again, ELICITATION)
  const last = resultOf((await modern(url, 'tools/call', again, options)).json())
  assert.equal(last.resultType, 'complete', JSON.stringify(last))
  one.count('completed')
}

/** The connection is broken a moment after the request was sent. */
async function leave(
  one: One,
  tool: string,
  method: string,
  params: Json,
  more: ModernOptions = {},
): Promise<void> {
  const request = modernRequest(method, params, { ...more, headers: one.headers })
  await abortRequest(`${one.url}/mcp/${tool}`, request, Math.floor(one.random() * 40))
  one.count('left')
}

/** Gauges that are not at rest. */
async function busy(metricsUrl: string): Promise<string[]> {
  const { text } = await raw(metricsUrl)
  return text
    .split('\n')
    .filter((line) => /_(active|in_flight|instances|parked)\b/.test(line.split(/[ {]/)[0] ?? ''))
    .filter((line) => Number(line.split(' ').at(-1)) > 0)
}

/** Open handles and running timers, and listeners of the process. */
function held() {
  const kinds = process
    .getActiveResourcesInfo()
    .filter((kind) => /Wrap|Process|Pipe|Timeout|Immediate/.test(kind))
  const listeners = process
    .eventNames()
    .reduce((sum, event) => sum + process.listenerCount(event), 0)
  return { handles: kinds.length, listeners }
}

/** Mulberry32: the same numbers from the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
