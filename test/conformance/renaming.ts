import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withTool } from '../../src/inbound/aggregate/uris.ts'
import type { Owner } from '../harness/gateway.ts'
import type { Json } from '../harness/session.ts'

/**
 * A proxy to the gateway for a client that knows one tool's own names only: on its way down each
 * gets its tool, on its way up the tool is taken out again.
 */
export async function renaming(
  owner: Owner,
  base: string,
  tool: string,
  key: string,
): Promise<string> {
  const { port } = new URL(base)
  const authorization = `Bearer ${key}`
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const body = named(Buffer.concat(chunks).toString(), tool)
    const headers = { ...namedHeaders(req.headers, tool), authorization }
    const options = { port, host: '127.0.0.1', method: req.method, path: req.url, headers }
    const down = request(
      { ...options, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (answer) => {
        const { 'content-length': _length, ...others } = answer.headers
        res.writeHead(answer.statusCode ?? 502, others)
        res.flushHeaders()
        // Each message comes in one write, so no name is cut in two.
        answer.on('data', (chunk: Buffer) =>
          res.write(chunk.toString().replaceAll(`${tool}__`, '')),
        )
        answer.on('end', () => res.end()).on('error', () => res.destroy())
      },
    )
    down.on('error', () => res.destroy())
    res.on('close', () => down.destroy())
    down.end(body)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  owner.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function named(body: string, tool: string): string {
  let message: Json
  try {
    message = JSON.parse(body)
  } catch {
    return body
  }
  const { params } = message
  if (typeof params !== 'object' || params === null) return body
  const { name, uri, taskId, ref, notifications } = params as Json
  const named = {
    ...params,
    ...(typeof name === 'string' && { name: withName(tool, name) }),
    ...(typeof uri === 'string' && { uri: withUri(tool, uri) }),
    ...(typeof taskId === 'string' && { taskId: withName(tool, taskId) }),
    ...(typeof ref === 'object' && { ref: namedReference(Object(ref), tool) }),
    ...(typeof notifications === 'object' && {
      notifications: namedFilter(Object(notifications), tool),
    }),
  }
  return JSON.stringify({ ...message, params: named })
}

/** What is another tool's has its full name already. */
function withName(tool: string, name: string): string {
  return name.includes('__') ? name : `${tool}__${name}`
}

function withUri(tool: string, uri: string): string {
  return uri.includes('__') ? uri : withTool(tool, uri)
}

function namedReference({ name, uri, ...ref }: Json, tool: string): Json {
  return {
    ...ref,
    ...(typeof name === 'string' && { name: withName(tool, name) }),
    ...(typeof uri === 'string' && { uri: withUri(tool, uri) }),
  }
}

function namedFilter({ resourceSubscriptions: uris, ...filter }: Json, tool: string): Json {
  if (!Array.isArray(uris)) return filter
  return { ...filter, resourceSubscriptions: uris.map((uri) => withUri(tool, uri)) }
}

function namedHeaders(given: IncomingHttpHeaders, tool: string): IncomingHttpHeaders {
  const { 'transfer-encoding': _chunked, ...headers } = given
  const name = headers['mcp-name']
  if (typeof name !== 'string') return headers
  const own = name.includes('://') ? withUri(tool, name) : withName(tool, name)
  return { ...headers, 'mcp-name': own }
}
