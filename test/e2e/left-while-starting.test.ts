import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { commandLine, descendants } from '../harness/processes.ts'
import { abortRequest, openStream, raw } from '../harness/raw.ts'
import { ACCEPT, openSession } from '../harness/session.ts'
import { allLearned, toolReady } from '../harness/tool-view.ts'
import { leaveUnread } from '../harness/unread.ts'
import { until, within } from '../harness/until.ts'

const SLOW = fixture('slow-start', '1000')
const daemon = (description: string) => ({
  description,
  command: SLOW,
  mode: 'daemon',
  idle: '1s',
})
const gateway = await startGateway(
  { after },
  {
    config: { sessions: { resume: '1s', idle: '1s' }, limits: { calls: 10_000, per: '1s' } },
    tools: {
      slow: { command: SLOW },
      quick: { command: fixture('echo') },
      shared: daemon('first'),
    },
  },
)
await allLearned(gateway)
const INITIALIZE = {
  method: 'POST',
  headers: { accept: ACCEPT },
  body: {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'raw', version: '1' },
    },
  },
}
const LISTEN = { headers: { accept: 'text/event-stream' } }
const WAYS = [
  { what: 'initialize', path: '', options: INITIALIZE },
  { what: 'an event stream', path: '/sse', options: LISTEN },
]

for (const { what, path, options } of WAYS) {
  test(`${what} that the client breaks off while the tool starts leaves nothing`, async () => {
    await nothingLeft()
    const leaving = Array.from({ length: 5 }, () => {
      return leaveUnread(`${gateway.url}/mcp/slow${path}`, options)
    })
    await until('the processes to start', () => gateway.processes().length === 5)
    for (const each of leaving) each.abort()
    await nothingLeft()
  })

  test(`${what} that the client breaks off while the file is read leaves nothing`, async () => {
    const tool = path === '' ? 'read' : 'read-for-sse'
    // Read in a cell, it sees the folder it lies in, and writes nowhere.
    const go = join(gateway.tools.dir, `_${tool}.go`)
    gateway.tools.write(tool, waitsForFile(go))
    await until('the file to be read', () =>
      descendants(gateway.pid).some((pid) => commandLine(pid).includes(`${tool}.ts`)),
    )
    const leaving = leaveUnread(`${gateway.url}/mcp/${tool}${path}`, options)
    await leaving.sent
    await raw(`${gateway.url}/healthz`)
    leaving.abort()
    writeFileSync(go, '')
    await (await openSession(`${gateway.url}/mcp/${tool}`)).end()
    await nothingLeft()
  })
}

test('initialize that the client breaks off at any moment leaves nothing', async () => {
  const url = `${gateway.url}/mcp/quick`
  for (let round = 0; round < 6; round++) {
    await Promise.all([0, 1, 2, 4, 8].map((ms) => abortRequest(url, INITIALIZE, ms)))
    await (await openSession(url)).end()
  }
  await nothingLeft()
})

for (const [round, wire] of ['Streamable HTTP', 'HTTP+SSE'].entries())
  test(`a shared tool that is left over ${wire} while it starts, and replaced, leaves no process`, async () => {
    await nothingLeft()
    const url = `${gateway.url}/mcp/shared`
    const stream = wire === 'HTTP+SSE' ? await openStream(`${url}/sse`, LISTEN) : undefined
    const endpoint = await stream?.waitFor('the endpoint', ({ event }) => event === 'endpoint')
    const leaving = leaveUnread(endpoint ? gateway.url + endpoint.data : url, INITIALIZE)
    await until('the process to start', () => gateway.processes().length > 0)
    for (const each of [leaving, stream]) each?.abort()
    gateway.tools.write('shared', daemon(`edited ${round}`))
    await toolReady(gateway, 'shared', `edited ${round}`)
    await nothingLeft()
  })

for (const waits of [false, true]) {
  const whom = waits ? ', whose client waits,' : ''
  test(`a tool that hangs in its handshake${whom} does not hold up the end of the gateway`, async (t) => {
    const ending = await startGateway(t, {
      config: { timeouts: { drain: '500ms', stdin: '500ms', term: '500ms' } },
      tools: { hangs: { command: fixture('never-reads-stdin') } },
    })
    const path = waits ? '/mcp/hangs' : '/v1/tools/hangs'
    const leaving = leaveUnread(`${ending.url}${path}`, waits ? INITIALIZE : {})
    await until('the process to start', () => ending.processes().length > 0)
    const since = performance.now()
    ending.signal('SIGTERM')
    assert.equal(await within(15_000, 'the gateway to end', ending.exit), 0)
    const took = performance.now() - since
    assert.ok(took < 6000, `ended after ${took} ms`)
    assert.deepEqual(ending.processes(), [])
    leaving.abort()
  })
}

async function nothingLeft(): Promise<void> {
  await until('every session and process to be gone', async () => {
    const { sessions } = (await raw(`${gateway.url}/health`)).json()
    return sessions === 0 && gateway.processes().length === 0
  })
}

function waitsForFile(go: string): string {
  const command = fixture('echo').map((part) => JSON.stringify(part))
  return `import { existsSync } from 'node:fs'
import { command, defineTool } from 'toolgate'

while (!existsSync(${JSON.stringify(go)})) await new Promise((again) => setTimeout(again, 20))
export default defineTool({ description: 'Read slowly.', runtime: command(${command}), policy: { sandbox: 'none' } })
`
}
