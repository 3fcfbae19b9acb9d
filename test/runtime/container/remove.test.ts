import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { GATEWAY } from '../../../src/mark.ts'
import { reapContainers } from '../../../src/runtime/container/reap.ts'
import { owned, somethingLeft } from '../../../src/runtime/container/remove.ts'
import { startContainer } from '../../../src/runtime/container/start.ts'
import { until } from '../../harness/until.ts'
import { listen, say } from './fake-engine.ts'
import { boxed, groundOf } from './given.ts'

const linux = { skip: process.platform !== 'linux' }
const ID = 'c'.repeat(64)

interface Made {
  readonly Id: string
  /** An engine that could not remove one has taken its name. */
  readonly Names: null
  readonly Labels: Readonly<Record<string, string>>
}

/** An engine that does with a request to make a container as it is told. */
async function fakeEngine(t: TestContext, create: (res: ServerResponse, make: () => void) => void) {
  const containers: Made[] = []
  let looks = 0
  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '', 'http://engine')
    const path = url.pathname.replace(/^\/v1\.\d+/, '')
    let body = ''
    for await (const chunk of req) body += chunk
    if (path === '/version') return say(res, 200, { ApiVersion: '1.41' })
    if (path === '/info') return say(res, 200, {})
    if (path.startsWith('/images/')) return say(res, 200, { Id: 'image' })
    if (path === '/containers/create') {
      const { Labels } = JSON.parse(body)
      return create(res, () => containers.push({ Id: ID, Names: null, Labels }))
    }
    if (path === '/containers/json') {
      const { label } = JSON.parse(url.searchParams.get('filters') ?? '{}')
      if (label.join().startsWith('toolgate.instance=')) looks += 1
      const has = ({ Labels }: Made) =>
        label.every((one: string) => {
          const [key = '', value] = one.split('=')
          return value === undefined ? key in Labels : Labels[key] === value
        })
      return say(res, 200, containers.filter(has))
    }
    if (path === '/networks') return say(res, 200, [])
    if (req.method !== 'DELETE') return say(res, 500, { message: 'it is broken' })
    const at = containers.findIndex(({ Id }) => path === `/containers/${Id}`)
    if (at < 0) return say(res, 404, { message: 'no such container' })
    containers.splice(at, 1)
    say(res, 200, {})
  })
  const ground = await groundOf(t, await listen(t, server))
  const config = {
    ...ground.config,
    timeouts: { ...ground.config.timeouts, start: 300 },
  }
  const start = () =>
    startContainer(
      boxed('echo'),
      { program: 'image', args: [] },
      {
        config,
        egress: ground.options.egress,
        owner: undefined,
        signal: undefined,
        variables: {},
        line: config.sizes.line,
        patience: { stdin: 100, term: 100 },
        log: ground.options.log,
        fields: { tool: 'boxed', instance: `boxed.${++instances}` },
      },
    )
  return { containers, config, start, looks: () => looks }
}

let instances = 0

const UNKNOWN: Readonly<Record<string, (res: ServerResponse) => void>> = {
  'does not answer': () => {},
  'is cut off': (res) => void res.destroy(),
  'is cut off within its answer': (res) => {
    res.writeHead(201, { 'content-length': 99 }).write('{')
    setTimeout(() => res.destroy(), 50)
  },
  'is behind a proxy that gives up': (res) => say(res, 504, { message: 'it takes too long' }),
}
for (const [how, answer] of Object.entries(UNKNOWN)) {
  test(`one that an engine which ${how} makes afterwards is removed`, linux, async (t) => {
    let makeLate: (() => void) | undefined
    const { containers, start } = await fakeEngine(t, (res, make) => {
      makeLate = make
      answer(res)
    })
    await assert.rejects(start(), /container engine/)
    assert.equal(owned.size, 1)
    assert.ok(somethingLeft())
    makeLate?.()
    assert.equal(containers.length, 1)
    await until('it to be removed', () => containers.length === 0)
    await until('it to be forgotten', () => owned.size === 0 && !somethingLeft())
  })
}

test('one that is never made is looked for for a minute', linux, async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { looks, start } = await fakeEngine(t, (res) => void res.destroy())
  await assert.rejects(start(), /container engine/)
  const over = () => {
    t.mock.timers.tick(2_000)
    return !somethingLeft()
  }
  assert.ok(somethingLeft())
  await until('it to be forgotten', over, 30_000)
  assert.deepEqual([looks(), owned.size], [30, 0])
})

test('one that an engine refuses to make is not looked for again', linux, async (t) => {
  const { start } = await fakeEngine(t, (res) => say(res, 409, { message: 'it is there' }))
  await assert.rejects(start(), /the container engine says: it is there/)
  assert.equal(owned.size, 0)
  assert.ok(!somethingLeft())
})

test('one that was made without an answer, and has no name, is removed', linux, async (t) => {
  const { containers, start } = await fakeEngine(t, (res, make) => {
    make()
    res.destroy()
  })
  await assert.rejects(start(), /engine does not answer/)
  assert.deepEqual(containers, [])
  assert.equal(owned.size, 0)
  assert.ok(!somethingLeft())
})

test('one of ours that has no name any more is reaped', linux, async (t) => {
  const { containers, config } = await fakeEngine(t, () => {})
  const Labels = { 'toolgate.gateway': GATEWAY, 'toolgate.tool': 'lost' }
  containers.push({ Id: ID, Names: null, Labels })
  const told: string[] = []
  await reapContainers(config, new Set(), ({ container }) => told.push(container))
  assert.deepEqual(containers, [])
  assert.deepEqual(told, [ID])
})

test('one that an instance has is not, whatever its name is', linux, async (t) => {
  const { containers, config } = await fakeEngine(t, () => {})
  const mark = `${GATEWAY}.boxed.1000`
  const Labels = { 'toolgate.gateway': GATEWAY, 'toolgate.instance': mark }
  containers.push({ Id: ID, Names: null, Labels })
  owned.add(mark)
  t.after(() => owned.delete(mark))
  await reapContainers(config, new Set())
  assert.equal(containers.length, 1)
})
