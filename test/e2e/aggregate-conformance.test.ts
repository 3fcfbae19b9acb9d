import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { withTool } from '../../src/inbound/aggregate/uris.ts'
import type { Mode } from '../conformance/direct.ts'
import { expectedToFail } from '../conformance/expected-misses.ts'
import { failuresOf, type Revision, runRequirements, scoreOf } from '../conformance/run.ts'
import { fixture } from '../harness/fixtures.ts'
import { type Owner, startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import type { Json } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const KEY = 'conformance'
const TOOLS: readonly Mode[] = ['dual', 'modern', 'legacy']

/** A tool of both eras, and those whose client is of the other one. */
const RUNS: readonly (readonly [Mode, Revision])[] = [
  ['dual', '2025-11-25'],
  ['dual', '2026-07-28'],
  ['modern', '2025-11-25'],
  ['legacy', '2026-07-28'],
]

const gateway = await startGateway(
  { after },
  {
    config: {
      keys: [{ id: 'suite', hash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
    },
    tools: Object.fromEntries(
      TOOLS.map((mode) => [
        mode,
        { command: fixture('everything', mode), limits: { calls: 1_000_000, per: '1s' } },
      ]),
    ),
  },
)
const authorization = `Bearer ${KEY}`
await until('the tools to be known', async () => {
  const { tools } = (await raw(`${gateway.url}/v1/tools`, { headers: { authorization } })).json()
  return (tools as { state: string }[]).every(({ state }) => state === 'ready')
})
for (const [tool, revision] of RUNS)
  test(`behind all tools as one, the ${tool} one misses what it misses alone on ${revision}`, async (t) => {
    const url = await renaming(t, gateway.url, tool)
    const scenarios = await runRequirements(`${url}/mcp`, revision)
    t.diagnostic(`${tool} on ${revision}: ${scoreOf(scenarios)}`)
    // The fixture has no tasks extension, and the suite scores none.
    const ours = scenarios.filter(({ name }) => !name.startsWith('tasks-'))
    assert.deepEqual(
      ours.filter(({ status }) => status === 'fail').map(({ name }) => name),
      expectedToFail(tool, revision),
      failuresOf(ours).join('\n'),
    )
  })

/**
 * A proxy to the gateway for a client that knows one tool's own names only: on its way down each
 * gets its tool, on its way up the tool is taken out again.
 */
async function renaming(owner: Owner, target: string, tool: string): Promise<string> {
  const { port } = new URL(target)
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
  const { name, uri, ref, notifications } = params as Json
  const named = {
    ...params,
    ...(typeof name === 'string' && { name: withName(tool, name) }),
    ...(typeof uri === 'string' && { uri: withUri(tool, uri) }),
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
