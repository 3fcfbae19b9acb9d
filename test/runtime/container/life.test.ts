import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ToolgateError } from '../../../src/errors.ts'
import { GATEWAY } from '../../../src/mark.ts'
import { imageDigest } from '../../../src/runtime/container/image.ts'
import { prepareContainer } from '../../../src/runtime/container/prepare.ts'
import { reapContainers } from '../../../src/runtime/container/reap.ts'
import { noEngine, startEngine, type TestEngine } from '../../harness/engine.ts'
import type { Owner } from '../../harness/gateway.ts'
import { isAlive } from '../../harness/processes.ts'
import { textOf } from '../../harness/session.ts'
import { until, within } from '../../harness/until.ts'
import { boxed, type Ground, groundOf, start } from './given.ts'

const options = { skip: noEngine }
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let engine: TestEngine
let ground: Ground

before(async () => {
  if (noEngine) return
  engine = await startEngine(file)
  ground = await groundOf(file, engine.socket)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const gone = async () => (await engine.containers()).length === 0

test('a program sees the end of its input, and nothing is left of it', options, async (t) => {
  const { process, request } = await start(t, ground, engine, boxed('echo'))
  const answer = await request('tools/call', { name: 'echo', arguments: { a: 1 } })
  assert.equal(textOf(answer), '{"a":1}')
  assert.ok(isAlive(process.pid))
  const ending = await process.close('the session ended')
  assert.deepEqual(ending, {
    reason: 'the session ended',
    unexpected: false,
    exitCode: 0,
    signal: null,
  })
  assert.ok(await gone())
  assert.ok(!isAlive(process.pid))
  const { cpu = 0, memory } = process.usage ?? {}
  assert.ok(cpu > 10 && cpu < 10_000, String(cpu))
  assert.ok(Number(memory) > 5e6, String(memory))
})

test('what ignores everything is killed', options, async (t) => {
  const { process, request } = await start(t, ground, engine, boxed('ignores-term'))
  await request('ping')
  const { signal, exitCode } = await process.close('enough')
  assert.deepEqual([signal, exitCode], ['SIGKILL', null])
  assert.ok(await gone())
})

test('an end of its own is told with its code, however early it comes', options, async (t) => {
  for (let each = 0; each < 5; each += 1) {
    const { process } = await start(t, ground, engine, boxed('exits-at-start'))
    const { reason, unexpected, exitCode } = await within(10_000, 'its end', process.ended)
    assert.equal(unexpected, true)
    assert.equal(exitCode, 3)
    assert.match(reason, /exited with code 3/)
  }
  assert.ok(await gone())
})

test('what uses more than its memory is told so', options, async (t) => {
  for (let each = 0; each < 5; each += 1) {
    const tool = boxed('looks-around', { memory: 128 * 2 ** 20 })
    const { process, request } = await start(t, ground, engine, tool)
    void request('tools/call', { name: 'eat', arguments: {} })
    const { reason } = await within(20_000, 'its end', process.ended)
    assert.equal(reason, 'it used more than its memory (128 MB)')
  }
})

test(
  'output that nobody reads makes the tool wait, and not the gateway grow',
  options,
  async (t) => {
    const { process, request } = await start(t, ground, engine, boxed('floods-stdout'))
    await request('ping')
    process.pause()
    const before = globalThis.process.memoryUsage().rss
    const answer = request('tools/call', { name: 'flood', arguments: { megabytes: 300 } })
    await pause(1_500)
    const grown = globalThis.process.memoryUsage().rss - before
    assert.ok(grown < 40e6, `${grown} bytes`)
    process.resume()
    assert.equal(textOf(await within(60_000, 'the answer', answer)), 'flooded')
  },
)

test('a container that somebody else removes is a tool that is gone', options, async (t) => {
  const { process, inspect } = await start(t, ground, engine, boxed('echo'))
  await engine.docker.getContainer((await inspect()).Id).remove({ force: true })
  const { unexpected } = await within(10_000, 'its end', process.ended)
  assert.equal(unexpected, true)
  assert.throws(() => process.send(Buffer.from('{}')), ToolgateError)
})

test('what no instance has any more is removed, and a neighbour’s is not', options, async (t) => {
  const running = await start(t, ground, engine, boxed('echo'))
  const make = async (gateway: string) => {
    const labels = { 'toolgate.gateway': gateway, 'toolgate.tool': 'lost' }
    const HostConfig = { NetworkMode: 'none' }
    const made = await engine.docker.createContainer({
      Image: engine.image,
      Labels: labels,
      HostConfig,
    })
    return made.id
  }
  const [own, dead, neighbour] = [
    await make(GATEWAY),
    await make('d'.repeat(16)),
    await make('a'.repeat(16)),
  ]
  const network = (gateway: string) =>
    engine.docker.createNetwork({
      Name: `n-${gateway}`,
      Internal: true,
      Labels: { 'toolgate.gateway': gateway },
    })
  const [left, kept] = [await network('d'.repeat(16)), await network('a'.repeat(16))]
  t.after(() => engine.docker.getContainer(neighbour).remove({ force: true }))
  t.after(() => kept.remove())
  const told: string[] = []
  await reapContainers(ground.config, new Set(['d'.repeat(16)]), ({ container }) =>
    told.push(container),
  )
  assert.deepEqual(told.sort(), [own, dead].sort())
  const there = (await engine.containers()).map(({ Id }) => Id)
  assert.deepEqual(there.sort(), [neighbour, (await running.inspect()).Id].sort())
  const networks = (await engine.docker.listNetworks()).map(({ Id }) => Id)
  assert.deepEqual([networks.includes(left.id), networks.includes(kept.id)], [false, true])
})

test('an image that is nowhere is told in the words of the engine', options, async () => {
  const image = '127.0.0.1:9/nobody/nothing:1'
  const runtime = { kind: 'container' as const, image, args: [] }
  await assert.rejects(prepareContainer(runtime, ground.options), (error: ToolgateError) => {
    assert.equal(error.code, 'tool_failed_to_start')
    assert.match(error.message, /the container engine says: .*(127\.0\.0\.1:9|not found)/)
    return true
  })
  assert.ok(ground.logs.some(({ msg }) => msg === 'image is being pulled'))
  assert.equal(imageDigest({ runtime }), null)
})

test('an engine that hangs, or ends, takes its tools along, and no more', options, async (t) => {
  const { process, request } = await start(t, ground, engine, boxed('echo'))
  await request('ping')
  await engine.kill()
  const { reason, unexpected } = await within(5_000, 'its end', process.closed)
  assert.equal(reason, 'the container engine does not answer')
  assert.equal(unexpected, true)
  await assert.rejects(start(t, ground, engine, boxed('echo')), (error: ToolgateError) => {
    assert.equal(error.code, 'no_cell')
    assert.match(error.message, /engine\.socket or DOCKER_HOST/)
    return true
  })
  await engine.restart()
  await until('what was left to be removed', gone, 30_000)
  const again = await start(t, ground, engine, boxed('echo'))
  await again.request('ping')

  engine.signal('SIGSTOP')
  const ended = again.process.kill('it takes too long')
  const hung = await within(20_000, 'its end', ended)
  engine.signal('SIGCONT')
  assert.equal(hung.reason, 'it takes too long')
  await until('what was left to be removed', gone, 30_000)
})

test('without an engine the ways out are told', async (t) => {
  const nowhere = await groundOf(t, '/nowhere/engine.sock')
  const runtime = { kind: 'container' as const, image: 'any', args: [] }
  await assert.rejects(prepareContainer(runtime, nowhere.options), (error: ToolgateError) => {
    assert.equal(error.code, 'no_cell')
    assert.equal(error.status, 503)
    assert.match(error.message, /start Docker or Podman.*command or npm/)
    return true
  })
  await reapContainers(nowhere.config, new Set(['d'.repeat(16)]))
})
