import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { serveMetrics } from '../../src/telemetry/metrics-server.ts'
import { createTelemetry } from '../../src/telemetry/setup.ts'
import type { Telemetry } from '../../src/telemetry/telemetry.ts'
import { parsePrometheus } from './prometheus.ts'

test('GET /metrics answers with Prometheus text', async (t) => {
  const telemetry = quiet()
  const server = await serveMetrics(telemetry, '127.0.0.1', 0)
  t.after(() => server.close())
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
  telemetry.meters.call('clock', 'rest', 'ok', 2)
  const response = await fetch(`${server.url}?x=1`)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.ok(parsePrometheus(await response.text()).size > 10)
})

test('every other path and method gets 404', async (t) => {
  const server = await serveMetrics(quiet(), '127.0.0.1', 0)
  t.after(() => server.close())
  const cases = [
    ['GET', '/'],
    ['GET', '/metrics/'],
    ['GET', '//metrics'],
    ['POST', '/metrics'],
    ['DELETE', '/metrics'],
  ] as const
  for (const [method, path] of cases) {
    const response = await fetch(new URL(server.url).origin + path, { method })
    assert.equal(response.status, 404, `${method} ${path}`)
    assert.equal(await response.text(), '')
  }
})

test('a gauge that throws is answered with 500, and the next scrape works', async (t) => {
  const telemetry = quiet()
  const server = await serveMetrics(telemetry, '127.0.0.1', 0)
  t.after(() => server.close())
  let broken = true
  telemetry.meters.gauge('sessions', () => {
    if (broken) throw new Error('broken')
    return []
  })
  assert.equal((await fetch(server.url)).status, 500)
  broken = false
  assert.equal((await fetch(server.url)).status, 200)
})

test('an address in use rejects', async (t) => {
  const server = await serveMetrics(quiet(), '127.0.0.1', 0)
  t.after(() => server.close())
  const port = Number(new URL(server.url).port)
  await assert.rejects(serveMetrics(quiet(), '127.0.0.1', port), { code: 'EADDRINUSE' })
})

test('closing ends connections that are kept alive', async () => {
  const server = await serveMetrics(quiet(), '127.0.0.1', 0)
  await (await fetch(server.url)).text()
  await server.close()
  await assert.rejects(fetch(server.url))
})

function quiet(): Telemetry {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  return createTelemetry(
    { telemetry: { endpoint: null, sample: 1 }, log: { level: 'error' } },
    nowhere,
  )
}
