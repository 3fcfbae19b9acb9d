import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { prepareContainer } from '../../../src/runtime/container/prepare.ts'
import { PullProgress } from '../../../src/runtime/container/progress.ts'
import { until } from '../../harness/until.ts'
import { groundOf } from './given.ts'

test('a pull is one for all who want it, and ends with the last of them', async (t) => {
  const engine = await slowEngine(t)
  const [first, second] = [new AbortController(), new AbortController()]
  const [one, two] = [engine.want('a:1', 60_000, first), engine.want('a:1', 60_000, second)]
  two.catch(() => {})
  await until('the pull to be asked for', () => engine.pulls.length > 0)
  first.abort()
  await assert.rejects(one, /the start was given up/)
  second.abort()
  await assert.rejects(two, /the start was given up/)
  await until('the engine to be told', () => engine.broken() === 1)
  assert.equal(engine.pulls.length, 1)
  assert.ok(engine.logs.some(({ msg }) => msg === 'image is not wanted any more'))
})

test('a pull has its time, on its way as well', async (t) => {
  const engine = await slowEngine(t)
  const silent = engine.want('b:1', 200)
  await assert.rejects(silent, /its image was not pulled within 200 ms/)
  const begun = engine.want('c:1', 500)
  const pull = await until('the pull to be asked for', () => engine.pulls[1])
  pull.response.write('{"status":"Pulling fs layer","id":"0123456789ab"}\n')
  await assert.rejects(begun, /its image was not pulled within 500 ms/)
  await until('the engine to be told', () => engine.broken() === 2)
})

test('a name without a tag is the latest, and never all of them', async (t) => {
  const engine = await slowEngine(t)
  const names = ['plain', 'host:5000/plain', 'host:5000/plain:2', `x@sha256:${'0'.repeat(64)}`]
  const wanted = names.map((name) => engine.want(name, 300))
  await Promise.allSettled(wanted)
  assert.deepEqual(engine.pulls.map(({ name }) => name).sort(), [
    'host:5000/plain:2',
    'host:5000/plain:latest',
    'plain:latest',
    names[3],
  ])
})

test('what went wrong on the way is told in the words of the engine', async (t) => {
  const engine = await slowEngine(t)
  const wanted = engine.want('d:1', 10_000)
  const { response } = await until('the pull to be asked for', () => engine.pulls[0])
  response.end('{"status":"Pulling from d","id":"1"}\n{"error":"no space left on device"}\n')
  await assert.rejects(wanted, /the container engine says: no space left on device/)
})

test('progress is told a little at a time', () => {
  const told: object[] = []
  const progress = new PullProgress((pulled) => told.push(pulled))
  const line = (value: object) => progress.push(Buffer.from(`${JSON.stringify(value)}\n`))
  for (let current = 0; current < 1_000; current += 1) {
    line({ id: 'a', status: 'Downloading', progressDetail: { current, total: 1_000 } })
  }
  assert.deepEqual(told, [])
})

/** An engine that has no image, and answers nothing of pulls by itself. */
async function slowEngine(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-pull-'))
  const pulls: { name: string; response: ServerResponse }[] = []
  let broken = 0
  const server = createServer((request, response) => {
    const url = new URL(String(request.url), 'http://engine')
    if (url.pathname.endsWith('/version')) {
      return response.end(JSON.stringify({ ApiVersion: '1.41', MinAPIVersion: '1.12' }))
    }
    if (url.pathname.endsWith('/info')) return response.end('{}')
    if (!url.pathname.endsWith('/images/create')) {
      return response.writeHead(404).end('{"message":"no such image"}')
    }
    pulls.push({ name: String(url.searchParams.get('fromImage')), response })
    response.once('close', () => {
      if (!response.writableFinished) broken += 1
    })
  }).listen(join(dir, 'engine.sock'))
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(dir, { recursive: true })
  })
  const ground = await groundOf(t, join(dir, 'engine.sock'))
  return {
    pulls,
    logs: ground.logs,
    broken: () => broken,
    want(image: string, timeout: number, ending?: AbortController) {
      const { config } = ground
      return prepareContainer(
        { kind: 'container', image, args: [] },
        {
          ...ground.options,
          config: { ...config, timeouts: { ...config.timeouts, install: timeout } },
          ...(ending !== undefined && { signal: ending.signal }),
        },
      )
    },
  }
}
