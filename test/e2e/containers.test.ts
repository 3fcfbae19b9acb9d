import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { IMAGE, noEngine, startEngine, type TestEngine } from '../harness/engine.ts'
import { type GatewayOptions, type Owner, startGateway } from '../harness/gateway.ts'
import { memoryOf } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import { errorOf, initialize, openSession, textOf } from '../harness/session.ts'
import { allLearned } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const options = { skip: noEngine }
const ends: (() => Promise<void>)[] = []
let engine: TestEngine

before(async () => {
  if (!noEngine) engine = await startEngine({ after: (end) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('an unmodified program in an image serves sessions and REST', options, async (t) => {
  const gateway = await start(t, { echo: toolOf('echo', "policy: { workspace: 'read-write' }") })
  const session = await openSession(`${gateway.url}/mcp/echo`)
  assert.equal(await session.callText('echo', { said: 'hello' }), '{"said":"hello"}')
  const where = JSON.parse(await session.callText('where'))
  assert.equal(where.pid > 0, true)
  const body = { said: 'again' }
  const rest = await raw(`${gateway.url}/v1/tools/echo/echo`, { method: 'POST', body })
  assert.equal(rest.status, 200, rest.text)
  assert.equal(textOf({ result: rest.json() }), '{"said":"again"}')
  // The one of the call over REST has ended with it.
  await count(1)
  const view = await until('the gateway to have one, too', async () => {
    const seen = await viewOf(gateway.url)
    return seen.running.length === 1 ? seen : undefined
  })
  assert.equal(view.sandbox, 'container')
  assert.equal(view.cell.find(({ what }) => what === 'image')?.rule, engine.image)
  await session.end()
  await count(0)
  const ended = await gateway.waitForLog('its end', ({ msg, reason }) => {
    return msg === 'instance ended' && /session|client/.test(String(reason))
  })
  const { cpu, memory } = ended.usage as { cpu: number; memory: number }
  assert.ok(cpu > 0 && memory > 1e6, JSON.stringify(ended))
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  assert.deepEqual(await engine.containers(), [])
})

test('a client that is gone without goodbye leaves no container', options, async (t) => {
  const sessions = { resume: '500ms', idle: '1s' }
  const gateway = await start(t, { echo: toolOf('echo') }, { config: { sessions } })
  const session = await openSession(`${gateway.url}/mcp/echo`)
  const stream = await session.listen()
  await count(1)
  stream.abort()
  await count(0)
})

test('kill -9 of the gateway leaves nothing once the next is there', options, async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'toolgate-cache-'))
  // Gateways that end with the test write to it to the last.
  ends.push(async () => rmSync(cache, { recursive: true, force: true, maxRetries: 5 }))
  const tools = { echo: toolOf('echo'), stubborn: toolOf('ignores-term') }
  const [doomed, neighbour] = [await start(t, tools, { cache }), await start(t, tools, { cache })]
  await openSession(`${neighbour.url}/mcp/stubborn`)
  const [theirs] = await count(1)
  for (const tool of ['echo', 'stubborn', 'stubborn'])
    await openSession(`${doomed.url}/mcp/${tool}`)
  await count(4)
  doomed.signal('SIGKILL')
  await doomed.exit
  const next = await start(t, tools, { cache })
  const [left] = await count(1)
  assert.equal(left?.Id, theirs?.Id)
  await next.waitForLog('it is told', ({ msg }) => msg === 'orphan ended')
  // As long as it takes them: the next test kills the engine, which forgets what it was removing.
  for (const gateway of [neighbour, next]) {
    gateway.signal('SIGTERM')
    await gateway.exit
  }
  await count(0)
})

test('a gateway that ends while a container starts leaves none', options, async (t) => {
  const gateways = await Promise.all([0, 1, 2].map(() => start(t, { echo: toolOf('echo') })))
  for (const [at, gateway] of gateways.entries()) {
    await allLearned(gateway)
    await count(0)
    void initialize(`${gateway.url}/mcp/echo`).catch(() => {})
    await new Promise((later) => setTimeout(later, 150 * at))
    gateway.signal('SIGTERM')
    assert.equal(await gateway.exit, 0)
    assert.deepEqual(await engine.containers(), [])
  }
})

test('an engine that is killed costs its calls, and no more', options, async (t) => {
  const gateway = await start(t, { slow: toolOf('never-answers'), echo: toolOf('echo') })
  // Who is still being learned when its engine goes has had a container, and is told of that.
  await allLearned(gateway)
  await count(0)
  const session = await openSession(`${gateway.url}/mcp/slow`)
  const { result } = await session.request('tools/list')
  const [{ name }] = (result as { tools: [{ name: string }] }).tools
  const call = session.request('tools/call', { name, arguments: {} })
  const { metricsUrl } = await gateway.waitForLog('metrics', ({ msg }) => msg === 'listening')
  await until('the call to be under way', async () => {
    return /^mcp_gateway_requests_in_flight 1$/m.test((await raw(String(metricsUrl))).text)
  })
  await engine.kill()
  assert.equal(errorOf(await call).code, -32010)
  await refused(gateway.url, 'echo', 503, -32017, /the container engine does not answer/)
  assert.equal((await raw(`${gateway.url}/ready`)).status, 200)
  await engine.restart()
  const again = await until('it to work again', () =>
    openSession(`${gateway.url}/mcp/echo`).catch(() => undefined),
  )
  assert.equal(await again.callText('echo', { a: 1 }), '{"a":1}')
  await again.end()
  await count(0)
})

test('endless output does not make the gateway grow', options, async (t) => {
  const gateway = await start(t, { flood: toolOf('floods-stdout') })
  const session = await openSession(`${gateway.url}/mcp/flood`)
  const flood = async (megabytes: number) => {
    const before = memoryOf(gateway.pid)
    assert.equal(await session.callText('flood', { megabytes }), 'flooded')
    return memoryOf(gateway.pid) - before
  }
  // V8 lets some 32 MB of read buffers wait before it collects them, whatever the output.
  const first = await flood(100)
  const more = await flood(400)
  assert.ok(first < 80e6 && more < 30e6, `${first} bytes, then ${more}`)
})

test('what cannot be started is told why, and how to get out of it', options, async (t) => {
  const socket = JSON.stringify([dirname(engine.socket)])
  const gateway = await start(t, {
    absent: IMAGE_TOOL.replace('IMAGE', '127.0.0.1:9/nobody/nothing:1'),
    greedy: toolOf('echo', `policy: { files: { read: ${socket} } }`),
    mighty: toolOf('echo', "policy: { capAdd: ['ALL'] }"),
  })
  const words = /the container engine says: .*connection refused/
  await refused(gateway.url, 'absent', 502, -32012, words)
  const never = /a container engine’s socket, which no tool is given/
  await refused(gateway.url, 'greedy', 503, -32017, never)
  await refused(gateway.url, 'mighty', 503, -32017, /make the container a privileged one/)
  assert.deepEqual(await engine.containers(), [])
})

test('without an engine a tool answers 503 with the ways out', async (t) => {
  const config = { engine: { socket: '/nowhere/engine.sock' } }
  const gateway = await startGateway(t, { tools: { echo: toolOf('echo') }, config })
  const ways = /start Docker or Podman, name its socket with engine\.socket or DOCKER_HOST/
  await refused(gateway.url, 'echo', 503, -32017, ways)
  const view = await viewOf(gateway.url)
  assert.equal(view.sandbox, 'missing')
})

interface View {
  readonly sandbox: string
  readonly cell: readonly { readonly what: string; readonly rule: string }[]
  readonly running: readonly unknown[]
}

async function viewOf(url: string): Promise<View> {
  return (await raw(`${url}/v1/tools/echo`)).json() as unknown as View
}

/** Waits until the engine has so many containers: those that were asked for their functions end. */
async function count(expected: number) {
  let found: Awaited<ReturnType<TestEngine['containers']>> = []
  const look = async () => {
    found = await engine.containers()
    return found.length === expected ? found : undefined
  }
  return until(`${expected} containers`, look).catch((error: Error) => {
    const said = found.map(({ Names, State, Status }) => `${Names} is ${State}: ${Status}`)
    throw new Error(`${error.message}; there are ${found.length}:\n${said.join('\n')}`)
  })
}

/** That a tool is refused in the same words at both entrances. */
async function refused(url: string, tool: string, status: number, code: number, why: RegExp) {
  const { json } = await initialize(`${url}/mcp/${tool}`)
  assert.equal(errorOf(json()).code, code, tool)
  assert.match(errorOf(json()).message, why)
  const rest = await raw(`${url}/v1/tools/${tool}/echo`, { method: 'POST', body: {} })
  assert.equal(rest.status, status, rest.text)
  assert.match(String(rest.json().detail), why)
}

function start(
  owner: Owner,
  tools: Readonly<Record<string, string>>,
  more: { readonly cache?: string } & GatewayOptions = {},
) {
  const { cache, config } = more
  return startGateway(owner, {
    tools,
    config: {
      engine: { socket: engine.socket },
      timeouts: { stdin: '500ms', term: '500ms' },
      ...config,
    },
    ...(cache !== undefined && { env: { TOOLGATE_CACHE: cache } }),
  })
}

const IMAGE_TOOL = `import { container, defineTool } from 'toolgate'
export default defineTool({ description: 'In a box.', runtime: container('IMAGE') })
`

function toolOf(fixture: string, more = ''): string {
  return `import { container, defineTool } from 'toolgate'
export default defineTool({
  description: 'In a box.',
  runtime: container('${IMAGE}', '/app/${fixture}.mjs'),
  ${more}
})
`
}
