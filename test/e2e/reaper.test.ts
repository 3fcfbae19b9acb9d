import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, startGateway } from '../harness/gateway.ts'
import { commandLine, descendants, isAlive } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import { openSession } from '../harness/session.ts'
import { until, within } from '../harness/until.ts'
import { npmRegistry } from '../runtime/npm-registry.ts'

// Elsewhere nobody can read another process's environment.
const options = { skip: process.platform !== 'linux' }

test(
  'kill -9 under load leaves nothing behind once the next gateway is there, and it touches no neighbour',
  options,
  async (t) => {
    const [cache, other] = [place(), place()]
    const [doomed, neighbour, stranger] = await Promise.all([
      start(t, cache),
      start(t, cache),
      start(t, other),
    ])
    const theirs = await Promise.all([occupy(neighbour), occupy(stranger)])
    const sessions = await occupy(doomed)
    const load = sessions.map(({ session }) => keepBusy(session))
    const before = doomed.processes()
    assert.ok(before.length >= 4, String(before))
    doomed.signal('SIGKILL')
    assert.equal(await doomed.exit, 'SIGKILL')
    await Promise.all(load)
    const heeds = (pid: number) => /(counts-calls|leaves-grandchild)\.mjs/.test(commandLine(pid))
    await until('closed stdin to end the others', () => !doomed.processes().some(heeds))
    const left = doomed.processes()
    assert.ok(left.length >= 3, `those that ignore everything are still there: ${left}`)
    assert.equal(leases(cache).length, 2)

    const next = await start(t, cache)
    await until('no process to be left', () => doomed.processes().length === 0, 10_000)
    await until('its lease to be gone', () => leases(cache).length === 2)
    assert.deepEqual(
      theirs.flat().filter(({ pid }) => !isAlive(pid)),
      [],
    )
    assert.equal(neighbour.processes().length, theirs[0]?.length)
    assert.equal(stranger.processes().length, theirs[1]?.length)
    const told = await toldBy(next, left.length)
    assert.deepEqual(told.map(({ pid }) => pid).sort(), left.sort())
    for (const line of told) {
      assert.equal(line.level, 'warn')
      assert.equal(line.gatewayPid, doomed.pid)
      assert.match(String(line.tool), /^(stubborn|grandchild)$/)
    }
    assert.deepEqual([...new Set(told.map(({ signal }) => signal))], ['SIGKILL'])
    assert.equal(await reaped(next), left.length)
    // They still answer.
    for (const { session } of theirs.flat()) if (session) await session.request('ping')
  },
)

test(
  'what reads a file and what installs a package are ended, too, with all they started',
  options,
  async (t) => {
    const cache = place()
    const registry = await npmRegistry(t, { 'slow@1.0.0': { 'package.json': '{}' } })
    registry.hang('slow')
    // In a cell nothing outlives the gateway: here is what does where there are none.
    const doomed = await start(
      t,
      cache,
      {
        npm_config_registry: registry.url,
        npm_config_cache: join(cache, 'npm-cache'),
      },
      'none',
    )
    doomed.tools.write('slow', TOOL_OF_NPM)
    await toolRead(doomed, 'slow')
    // It is installed when it is first wanted; nobody will answer.
    openSession(`${doomed.url}/mcp/slow`).catch(() => {})
    await until('npm to ask', () => registry.asked.length > 0, 20_000)
    doomed.tools.write('hangs', NEVER_READ)
    // npm, the process that reads a file, and what that started in a session of its own.
    const left = await until('all three', () => {
      const running = descendants(doomed.pid)
      const started = running.some((pid) => commandLine(pid).includes('setInterval'))
      // Those that were asked for their functions have gone.
      return started && running.length === 3 ? running : undefined
    })
    doomed.signal('SIGKILL')
    await doomed.exit
    assert.ok(left.every(isAlive))
    const next = await start(t, cache)
    await until('none to be left', () => !left.some(isAlive), 10_000)
    await until('its lease to be gone', () => leases(cache).length === 1)
    const told = await toldBy(next, left.length)
    assert.deepEqual(told.map(({ tool }) => tool ?? 'none').sort(), ['hangs', 'hangs', 'none'])
  },
)

test('a clean end leaves no lease', options, async (t) => {
  const cache = place()
  const gateway = await start(t, cache)
  await until('its lease', () => leases(cache).length === 1)
  const [name = ''] = leases(cache)
  assert.equal(JSON.parse(readFileSync(join(cache, 'gateways', name), 'utf8')).pid, gateway.pid)
  await occupy(gateway)
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  assert.deepEqual(leases(cache), [])
})

test(
  'a lease whose process id was given out again is that of a dead gateway',
  options,
  async (t) => {
    const cache = place()
    const doomed = await start(t, cache)
    const owned = await occupy(doomed)
    const name = await until('its lease', () => leases(cache)[0])
    const path = join(cache, 'gateways', name)
    const lease = JSON.parse(readFileSync(path, 'utf8'))
    // The same pid, still running, yet started at another time than the gateway of the lease.
    writeFileSync(path, JSON.stringify({ ...lease, start: String(Number(lease.start) - 1) }))
    await start(t, cache)
    await until('what it had to be ended', () => owned.every(({ pid }) => !isAlive(pid)))
    assert.ok(isAlive(doomed.pid), 'what has the pid now is left alone')
  },
)

test(
  'a lease of another boot is forgotten; one of another namespace, and one that says nothing, are not',
  options,
  async (t) => {
    const cache = place()
    const first = await start(t, cache)
    const name = await until('its lease', () => leases(cache)[0])
    const lease = JSON.parse(readFileSync(join(cache, 'gateways', name), 'utf8'))
    const write = (content: string) => {
      const id = randomBytes(8).toString('hex')
      writeFileSync(join(cache, 'gateways', id), content)
      return id
    }
    const kept = [
      write(JSON.stringify({ ...lease, namespace: 'pid:[1]', start: '1' })),
      write('{'),
      write('{}'),
      name,
    ]
    const gone = [
      write(JSON.stringify({ ...lease, boot: 'another' })),
      write(JSON.stringify({ ...lease, start: '1' })),
    ]
    const next = await start(t, cache)
    await until('those to be forgotten', () => gone.every((id) => !leases(cache).includes(id)))
    assert.equal(leases(cache).length, kept.length + 1)
    for (const id of kept) assert.ok(leases(cache).includes(id), id)
    assert.ok(isAlive(first.pid) && isAlive(next.pid))
  },
)

test(
  'a cache folder that cannot be written is told, and everything else works',
  options,
  async (t) => {
    const cache = place()
    writeFileSync(join(cache, 'gateways'), 'a file where the folder should be')
    const gateway = await start(t, cache)
    await gateway.waitForLog('it is told', ({ msg }) => msg === 'orphans cannot be looked after')
    await occupy(gateway)
    gateway.signal('SIGTERM')
    assert.equal(await gateway.exit, 0)
  },
)

function place(): string {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-cache-'))
  places.push(dir)
  return dir
}

const places: string[] = []
// With the file: gateways that end with their test write to it to the last.
after(() => {
  for (const dir of places) rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})

const TOOL_OF_NPM = `import { defineTool, npm } from 'toolgate'
export default defineTool({ description: 'Never there.', runtime: npm('slow@1.0.0') })
`

const NEVER_READ = `import { spawn } from 'node:child_process'
const stay = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
spawn(process.execPath, ['-e', stay, '{mark}'], { stdio: 'ignore', detached: true }).unref()
await new Promise(() => setInterval(() => {}, 1000))
`

const start = (
  t: TestContext,
  cache: string,
  env: Readonly<Record<string, string>> = {},
  sandbox = 'required',
) =>
  startGateway(t, {
    env: { TOOLGATE_CACHE: cache, ...env },
    config: {
      sandbox,
      timeouts: { stdin: '200ms', term: '500ms' },
      limits: { calls: 1_000_000, per: '1s' },
    },
    tools: {
      echo: { command: fixture('counts-calls') },
      stubborn: { command: fixture('ignores-term') },
      grandchild: { command: fixture('leaves-grandchild') },
    },
  })

/** Sessions whose processes end with their stdin, not at all, or leave some behind that do not. */
async function occupy(gateway: Gateway) {
  const [echo, stubborn, grandchild] = await Promise.all(
    ['echo', 'stubborn', 'grandchild'].map((tool) => openSession(`${gateway.url}/mcp/${tool}`)),
  )
  assert.ok(echo && stubborn && grandchild)
  const inGroup = Number(await grandchild.callText('spawn'))
  // A session and a group of its own, and no stream of its tool's.
  const detached = Number(await grandchild.callText('spawn', { detached: true }))
  const { pid } = JSON.parse(await echo.callText('count'))
  const held = [
    { pid: Number(pid), session: echo },
    { pid: Number(await stubborn.callText('pid')), session: stubborn },
    { pid: inGroup, session: undefined },
    { pid: detached, session: undefined },
  ]
  const known = held.map((each) => each.pid)
  const leader = await until('the leader of the grandchildren', () =>
    gateway
      .processes()
      .find((each) => !known.includes(each) && commandLine(each).includes('leaves-grandchild.mjs')),
  )
  return [...held, { pid: leader, session: grandchild }]
}

const toolRead = (gateway: Gateway, tool: string) =>
  gateway.waitForLog(`${tool} to be read`, (line) => line.msg === 'tool read' && line.tool === tool)

/** The lines of what it ended; a log is written a moment later. */
async function toldBy(gateway: Gateway, ended: number) {
  const told = () => gateway.logs.filter(({ msg }) => msg === 'orphan ended')
  await until(`${ended} ends to be told`, () => told().length >= ended)
  return told()
}

/** Calls one after the other, until the gateway is no more. */
async function keepBusy(session: Awaited<ReturnType<typeof openSession>> | undefined) {
  for (let calls = 0; session !== undefined && calls < 100_000; calls += 1) {
    const answered = await within(5000, 'an answer', session.request('ping')).catch(() => undefined)
    if (answered === undefined) return
  }
}

function leases(cache: string): string[] {
  const folder = join(cache, 'gateways')
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : []
}

async function reaped(gateway: Gateway): Promise<number> {
  const line = await gateway.waitForLog('listening', ({ msg }) => msg === 'listening')
  const { text } = await raw(String(line.metricsUrl))
  const counts = text.matchAll(/^mcp_gateway_orphans_reaped_total\{tool="\w+"\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}
