import { once } from 'node:events'
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Owner } from './gateway.ts'
import { until } from './until.ts'

export interface CollectedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface Collector {
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  waitForSpan(name: string, traceId?: string): Promise<CollectedSpan>
}

interface OtlpSpan extends Omit<CollectedSpan, 'attributes'> {
  readonly attributes?: readonly { key: string; value: Record<string, unknown> }[]
}

interface OtlpBody {
  readonly resourceSpans: readonly { scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }[]
}

/** An OTLP/HTTP collector for traces in JSON; with `hang` it takes everything and answers nothing. */
export async function startCollector(owner: Owner, { hang = false } = {}): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const server = createServer(async (request, response) => {
    if (hang) return
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
    spans.push(...spansIn(JSON.parse(body.toString())))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  owner.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The collector has no port.')
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    waitForSpan: (name, traceId) =>
      until(`a span ${name}`, () =>
        spans.find((span) => span.name === name && (!traceId || span.traceId === traceId)),
      ),
  }
}

function spansIn({ resourceSpans }: OtlpBody): CollectedSpan[] {
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map(({ name, traceId, spanId, parentSpanId = '', attributes = [] }) => ({
      ...{ name, traceId, spanId, parentSpanId },
      attributes: Object.fromEntries(
        attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
      ),
    }))
}
