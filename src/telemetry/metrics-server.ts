import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CONTENT_TYPE } from './exposition.ts'
import type { Telemetry } from './telemetry.ts'

export interface MetricsServer {
  /** Of the metrics themselves. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves `GET /metrics` and nothing else, apart from the gateway's own port, so that it can be
 * bound elsewhere. Rejects when the address cannot be bound.
 */
export async function serveMetrics(
  telemetry: Telemetry,
  host: string,
  port: number,
): Promise<MetricsServer> {
  const server = createServer(LIMITS, (request, response) => {
    answer(telemetry, request, response).catch((err: unknown) => {
      telemetry.log.error({ err }, 'metrics could not be written')
      reply(response, 500, 'text/plain', '')
    })
  })
  server.maxConnections = 32
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { address, family, port: bound } = server.address() as AddressInfo
  const name = family === 'IPv6' ? `[${address}]` : address
  return { url: `http://${name}:${bound}/metrics`, close: () => close(server) }
}

async function answer(
  telemetry: Telemetry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume()
  const path = request.url?.split('?', 1)[0]
  if (path !== '/metrics' || request.method !== 'GET') return reply(response, 404, 'text/plain', '')
  reply(response, 200, CONTENT_TYPE, await telemetry.meters.scrape())
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return
  const headers = { 'content-type': type, 'x-content-type-options': 'nosniff' }
  response.writeHead(status, headers).end(body)
}

function close(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Bytes and milliseconds. */
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5000,
} as const
