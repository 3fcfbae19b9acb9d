import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { GATEWAY } from '../../../src/mark.ts'
import { clearContainers } from '../../../src/runtime/container/clear.ts'
import { findEngine } from '../../../src/runtime/container/engine.ts'
import { reapContainers } from '../../../src/runtime/container/reap.ts'
import { createReaper } from '../../../src/runtime/create-reaper.ts'
import { findHierarchies } from '../../../src/runtime/limits/hierarchies.ts'
import { noEngine, startEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { listen, place, say } from './fake-engine.ts'
import { boxed, type Ground, groundOf, start } from './given.ts'

const DEAD = 'd'.repeat(16)
const telling = { reaped() {} } as never
const linux = { skip: process.platform !== 'linux' }

test('one that cannot be removed keeps no other from being removed', async (t) => {
  const [stuck, fine] = ['a'.repeat(64), 'b'.repeat(64)]
  const removed: string[] = []
  const socket = await listen(t, createHttp(engineWith([stuck, fine], [stuck], removed)))
  const { config } = await groundOf(t, socket)
  const told: string[] = []
  const reaping = reapContainers(config, new Set([DEAD]), ({ container }) => told.push(container))
  await assert.rejects(reaping, (error: AggregateError) => {
    assert.ok(error instanceof AggregateError)
    assert.equal(error.errors.length, 1)
    return true
  })
  assert.deepEqual(removed, [stuck, fine, 'network'])
  assert.deepEqual(told, [fine])
})

test('an engine that does not answer is not asked again at once, a new one is', async (t) => {
  const asked: unknown[] = []
  const dir = place(t)
  const silent = createServer((socket) => {
    asked.push(socket)
    socket.destroy()
  })
  const socket = await listen(t, silent, dir)
  const { config } = await groundOf(t, socket)
  for (let each = 0; each < 3; each += 1) {
    await assert.rejects(findEngine(config), /the container engine does not answer/)
  }
  assert.equal(asked.length, 1)
  await new Promise((done) => silent.close(done))
  await listen(t, createHttp(engineWith([], [], [])), dir)
  assert.equal((await findEngine(config)).socket, socket)
})

test('what a dead gateway left is not cleared before its engine has answered', {
  skip: noEngine,
}, async (t) => {
  const ends: (() => Promise<void>)[] = []
  const last: Owner = { after: (end) => void ends.unshift(end) }
  t.after(async () => {
    for (const end of ends) await end()
  })
  const engine = await startEngine(last)
  const ground = await groundOf(last, engine.socket)
  const { config } = ground
  const labels = { 'toolgate.gateway': DEAD, 'toolgate.tool': 'lost' }
  const HostConfig = { NetworkMode: 'none' }
  await engine.docker.createContainer({ Image: engine.image, Labels: labels, HostConfig })
  note(config.cache, DEAD)
  const clear = (from: Ground['config']) =>
    clearContainers(from, new Set([DEAD]), { log: ground.options.log, meters: telling })

  await engine.kill()
  await assert.rejects(clear(config), /engine does not answer/)
  const absent = { ...config, engine: { socket: '/nowhere/engine.sock' } }
  await assert.rejects(clear(absent), /engine is not there/)
  assert.deepEqual(users(config.cache), [DEAD])

  await engine.restart()
  await clear(config)
  assert.deepEqual(await engine.containers(), [])
  assert.deepEqual(users(config.cache), [])
  // Of one that has used none, nothing can be left.
  await clear(absent)

  const reaper = createReaper(config, { log: ground.options.log, meters: telling } as never)
  const { process: running, request, inspect } = await start(last, ground, engine, boxed('echo'))
  await request('ping')
  assert.deepEqual(users(config.cache), [GATEWAY])
  assert.deepEqual(notes(config.cache, GATEWAY), [(await inspect()).Id])
  await running.close('the session ended')
  assert.deepEqual(users(config.cache), [GATEWAY])
  assert.deepEqual(notes(config.cache, GATEWAY), [])
  await reaper.close()
  assert.deepEqual(users(config.cache), [])
})

test('what an engine may make yet for a dead gateway, and groups it forgot, are waited for', {
  skip: noEngine,
}, async (t) => {
  const [forgotten, containers] = [randomBytes(32).toString('hex'), [] as string[]]
  const removed: string[] = []
  const engine = createHttp((req, res) => engineWith(containers, [], removed)(req, res))
  const { config, options } = await groundOf(t, await listen(t, engine))
  const clear = () =>
    clearContainers(config, new Set([DEAD]), { log: options.log, meters: telling })
  note(config.cache, DEAD, `${DEAD}.boxed.1`)
  await assert.rejects(clear(), /a container may be made yet/)
  const late = 'c'.repeat(64)
  containers.push(late)
  await assert.rejects(clear(), /a container may be made yet/)
  assert.ok(removed.includes(late))
  containers.pop()
  const now = performance.now.bind(performance)
  const clock = t.mock.method(performance, 'now', () => now() + 59_000)
  await assert.rejects(clear(), /a container may be made yet/)
  clock.mock.mockImplementation(() => now() + 60_000)
  await clear()
  clock.mock.restore()
  assert.deepEqual(users(config.cache), [])

  const [hierarchy] = await findHierarchies('/proc')
  const group = join(String(hierarchy?.mount), 'docker', forgotten)
  mkdirSync(join(group, 'busy'), { recursive: true })
  note(config.cache, DEAD, forgotten)
  await assert.rejects(clear(), /control groups of a container stay/)
  assert.deepEqual(users(config.cache), [DEAD])
  rmdirSync(join(group, 'busy'))
  await clear()
  assert.deepEqual(users(config.cache), [])
  assert.ok(!existsSync(group))
})

test('a dead gateway that used a silent engine is not forgotten', linux, async (t) => {
  const socket = await listen(
    t,
    createServer((connection) => void connection.on('error', () => {})),
  )
  const { config, options } = await groundOf(t, socket)
  note(config.cache, DEAD)
  const clearing = clearContainers(config, new Set([DEAD]), { log: options.log, meters: telling })
  await assert.rejects(clearing, /engine does not answer/)
  assert.deepEqual(users(config.cache), [DEAD])
})

/** An engine that has these containers of a dead gateway, of which some cannot be removed. */
function engineWith(
  containers: readonly string[],
  stuck: readonly string[],
  removed: string[],
): RequestListener {
  const Labels = { 'toolgate.gateway': DEAD, 'toolgate.tool': 'lost' }
  return ({ method, url = '' }, res) => {
    const [path = ''] = url.replace(/^\/v1\.\d+/, '').split('?')
    if (path === '/version') return say(res, 200, { ApiVersion: '1.41' })
    if (path === '/info') return say(res, 200, {})
    if (path === '/containers/json') {
      const listed = containers.map((Id) => ({ Id, Names: [`/${Id}`], Labels }))
      return say(res, 200, listed)
    }
    if (path === '/networks') return say(res, 200, [{ Id: 'network', Labels }])
    const id = path.split('/')[2] ?? ''
    if (method === 'DELETE') removed.push(id)
    if (stuck.includes(id)) return say(res, 500, { message: 'it is stuck' })
    return say(res, 200, {})
  }
}

function note(cache: string, gateway: string, ...names: readonly string[]): void {
  const folder = join(cache, 'engines', gateway)
  mkdirSync(folder, { recursive: true })
  for (const name of names) writeFileSync(join(folder, name), '')
}

/** Containers that a gateway is said to have, by their marks and ids. */
function notes(cache: string, gateway: string): string[] {
  return readdirSync(join(cache, 'engines', gateway))
}

/** Gateways that are said to have used an engine. */
function users(cache: string): string[] {
  const folder = join(cache, 'engines')
  return existsSync(folder) ? readdirSync(folder) : []
}
