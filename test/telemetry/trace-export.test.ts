import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ToolgateError } from '../../src/errors.ts'
import { createLog } from '../../src/telemetry/json-log.ts'
import { EVENTS, SPANS } from '../../src/telemetry/names.ts'
import { startSpan } from '../../src/telemetry/span.ts'
import { createTraceExport, type TraceExport } from '../../src/telemetry/trace-export.ts'
import { until } from '../harness/until.ts'
import { Lines } from './lines.ts'

test('sampled spans reach the collector with their parents, times, kind and failure', async (t) => {
  const collector = await startCollector(t)
  const { sink } = exportTo(collector.url)
  const request = startSpan(sink, SPANS.request)
  const call = startSpan(sink, SPANS.call, request.traceparent, { tool: 'clock' })
  call.end(new ToolgateError('timeout', 'Too slow.'))
  request.end()
  await sink.close()
  // The end is bounded, so on a slow machine it comes before the SDK is loaded.
  await until('spans at the collector', () => collector.bodies.length > 0)
  const [sent] = collector.bodies as [Body]
  const [{ resource, scopeSpans } = assert.fail()] = sent.resourceSpans
  const about = Object.fromEntries(resource.attributes.map((each) => [each.key, each.value]))
  assert.deepEqual(about['service.name'], { stringValue: 'toolgate' })
  assert.deepEqual(about['service.version'], { stringValue: '9.9.9' })
  assert.ok(about['service.instance.id'])
  const spans = scopeSpans.flatMap((scope) => scope.spans)
  const [child, root] = spans
  assert.equal(root?.name, SPANS.request)
  assert.equal(root?.kind, 2)
  assert.equal(root?.parentSpanId, undefined)
  assert.equal(child?.traceId, root?.traceId)
  assert.equal(child?.parentSpanId, root?.spanId)
  assert.equal(child?.kind, 3)
  assert.deepEqual(child?.status, { code: 2, message: 'Too slow.' })
  assert.deepEqual(
    child?.attributes.map(({ key, value }) => [key, value]),
    [
      ['tool', { stringValue: 'clock' }],
      ['error.type', { stringValue: 'timeout' }],
    ],
  )
  assert.ok(BigInt(child?.endTimeUnixNano ?? 0) >= BigInt(child?.startTimeUnixNano ?? 0))
})

test('spans leave by themselves, without waiting for the end', async (t) => {
  const collector = await startCollector(t)
  const { sink } = exportTo(collector.url, 1)
  t.after(() => sink.close())
  startSpan(sink, SPANS.call).end()
  await until('spans at the collector', () => collector.bodies.length > 0)
})

test('the end sends all that is queued', async (t) => {
  const collector = await startCollector(t)
  const { sink, lines } = exportTo(collector.url)
  for (let n = 0; n < 2048; n += 1) startSpan(sink, SPANS.call).end()
  await sink.close()
  const ids = () => {
    const scopes = (collector.bodies as Body[])
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
    return new Set(scopes.flatMap(({ spans }) => spans).map(({ spanId }) => spanId))
  }
  await until('every span at the collector', () => ids().size === 2048)
  assert.deepEqual(lines.all, [])
})

test('a collector that is away costs one warning, and the end comes in time', async (t) => {
  const collector = await startCollector(t)
  collector.server.close()
  const { sink, lines } = exportTo(collector.url, 1)
  for (let n = 0; n < 3; n += 1) {
    startSpan(sink, SPANS.call).end()
    await until('the warning', () => lines.all.length > 0)
  }
  const since = performance.now()
  await sink.close()
  assert.ok(performance.now() - since < 4000)
  assert.deepEqual(
    lines.all.map(({ level, msg }) => [level, msg]),
    [['warn', EVENTS.exportFailed]],
  )
})

test('a collector that takes everything and answers nothing does not hold up the end', async (t) => {
  const collector = await startCollector(t, () => {})
  const { sink } = exportTo(collector.url)
  for (let n = 0; n < 5000; n += 1) startSpan(sink, SPANS.call).end()
  const since = performance.now()
  await sink.close()
  assert.ok(performance.now() - since < 4000)
})

test('a collector that refuses is told, and spans after the end are ignored', async (t) => {
  const collector = await startCollector(t, (answer) => answer(400))
  const { sink, lines } = exportTo(collector.url)
  startSpan(sink, SPANS.call).end()
  await sink.close()
  await until('the warning', () => lines.all[0]?.msg === EVENTS.exportFailed)
  startSpan(sink, SPANS.call).end()
})

test('nothing to send: the end loads and sends nothing', async (t) => {
  const collector = await startCollector(t)
  await exportTo(collector.url).sink.close()
  assert.equal(collector.bodies.length, 0)
})

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
}

interface Attribute {
  readonly key: string
  readonly value: unknown
}

interface OtlpSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: unknown
  readonly attributes: readonly Attribute[]
}

function exportTo(endpoint: string, loadAfter = 60_000): { sink: TraceExport; lines: Lines } {
  const lines = new Lines()
  const { log } = createLog('info', lines)
  const sink = createTraceExport({ endpoint, sample: 1, version: '9.9.9', log, loadAfter })
  return { sink, lines }
}

interface Collector {
  readonly url: string
  readonly bodies: unknown[]
  readonly server: Server
}

/** Answers 200 unless told otherwise. */
async function startCollector(
  owner: { after(end: () => void): void },
  reply: (answer: (status: number) => void) => void = (answer) => answer(200),
): Promise<Collector> {
  const bodies: unknown[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    bodies.push(JSON.parse(Buffer.concat(chunks).toString()))
    assert.equal(request.url, '/v1/traces')
    reply((status) => response.writeHead(status, { 'content-type': 'application/json' }).end('{}'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, bodies, server }
}
