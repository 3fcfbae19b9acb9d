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
  // One for the session, one for who calls over REST.
  const running = await engine.containers()
  assert.equal(running.length, 2)
  const view = await viewOf(gateway.url)
  assert.equal(view.sandbox, 'container')
  assert.equal(view.cell.find(({ what }) => what === 'image')?.rule, engine.image)
  assert.equal(view.running.length, 2)
  await session.end()
  await until('its container to be gone', async () => (await engine.containers()).length === 1)
  const ended = await gateway.waitForLog('its end', ({ msg, reason }) => {
    return msg === 'instance ended' && String(reason).includes('session')
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
  assert.equal((await engine.containers()).length, 1)
  stream.abort()
  await until('its container to be gone', none, 10_000)
})

test('kill -9 of the gateway leaves nothing once the next is there', options, async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'toolgate-cache-'))
  t.after(() => rmSync(cache, { recursive: true, force: true, maxRetries: 5 }))
  const tools = { echo: toolOf('echo'), stubborn: toolOf('ignores-term') }
  const [doomed, neighbour] = [await start(t, tools, { cache }), await start(t, tools, { cache })]
  await openSession(`${neighbour.url}/mcp/stubborn`)
  const [theirs] = await engine.containers()
  for (const tool of ['echo', 'stubborn', 'stubborn'])
    await openSession(`${doomed.url}/mcp/${tool}`)
  assert.equal((await engine.containers()).length, 4)
  doomed.signal('SIGKILL')
  await doomed.exit
  const next = await start(t, tools, { cache })
  const left = async () => (await engine.containers()).map(({ Id }) => Id)
  await until('only the neighbour’s to be there', async () => (await left()).length === 1, 10_000)
  assert.deepEqual(await left(), [theirs?.Id])
  await next.waitForLog('it is told', ({ msg }) => msg === 'orphan ended')
})

test('an engine that is killed costs its calls, and no more', options, async (t) => {
  const gateway = await start(t, { slow: toolOf('never-answers'), echo: toolOf('echo') })
  const session = await openSession(`${gateway.url}/mcp/slow`)
  const { result } = await session.request('tools/list')
  const [{ name }] = (result as { tools: [{ name: string }] }).tools
  const call = session.request('tools/call', { name, arguments: {} })
  await until('the call to be there', () => gateway.logs.length > 0)
  await engine.kill()
  assert.equal(errorOf(await call).code, -32010)
  const missing = await initialize(`${gateway.url}/mcp/echo`)
  assert.equal(missing.status, 503, missing.text)
  assert.equal(errorOf(missing.json()).code, -32017)
  assert.equal((await raw(`${gateway.url}/ready`)).status, 200)
  await engine.restart()
  const again = await until('it to work again', () =>
    openSession(`${gateway.url}/mcp/echo`).catch(() => undefined),
  )
  assert.equal(await again.callText('echo', { a: 1 }), '{"a":1}')
  await again.end()
  await until('nothing to be left', none, 10_000)
})

test('endless output does not make the gateway grow', options, async (t) => {
  const gateway = await start(t, { flood: toolOf('floods-stdout') })
  const session = await openSession(`${gateway.url}/mcp/flood`)
  const before = memoryOf(gateway.pid)
  assert.equal(await session.callText('flood', { megabytes: 100 }), 'flooded')
  const grown = memoryOf(gateway.pid) - before
  assert.ok(grown < 60e6, `${grown} bytes`)
})

test('what cannot be started is told why, and how to get out of it', options, async (t) => {
  const socket = JSON.stringify([dirname(engine.socket)])
  const gateway = await start(t, {
    absent: IMAGE_TOOL.replace('IMAGE', '127.0.0.1:9/nobody/nothing:1'),
    greedy: toolOf('echo', `policy: { files: { read: ${socket} } }`),
    mighty: toolOf('echo', "policy: { capAdd: ['ALL'] }"),
  })
  const absent = await initialize(`${gateway.url}/mcp/absent`)
  assert.equal(absent.status, 502, absent.text)
  assert.match(errorOf(absent.json()).message, /the container engine says: .*connection refused/)
  for (const [name, why] of [
    ['greedy', /socket of a container engine, which is never mounted/],
    ['mighty', /would make the container a privileged one/],
  ] as const) {
    const refused = await initialize(`${gateway.url}/mcp/${name}`)
    assert.equal(refused.status, 503, refused.text)
    assert.match(errorOf(refused.json()).message, why)
  }
  assert.deepEqual(await engine.containers(), [])
})

test('without an engine a tool answers 503 with the ways out', async (t) => {
  const config = { engine: { socket: '/nowhere/engine.sock' } }
  const gateway = await startGateway(t, { tools: { echo: toolOf('echo') }, config })
  const { status, json } = await initialize(`${gateway.url}/mcp/echo`)
  assert.equal(status, 503)
  assert.equal(errorOf(json()).code, -32017)
  assert.match(
    errorOf(json()).message,
    /start Docker or Podman, name its socket with engine\.socket/,
  )
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

const none = async () => (await engine.containers()).length === 0

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
