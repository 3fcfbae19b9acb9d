import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, errorOf, initialize, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { callRest, toolReady, toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const VALUE = 'kept-to-itself-4f1c9a77'
/** Written by mistake where its source belongs: into the file, where its compiled form has it too. */
const WRITTEN = 'written-by-mistake-77c9'
const KEY = `-----BEGIN KEY-----\n${VALUE}-first\n${VALUE}-second\n-----END KEY-----\n`

const folder = mkdtempSync(join(tmpdir(), 'secrets-'))
after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'token'), `${VALUE}\n`)
writeFileSync(join(folder, 'key'), KEY)
const LOST = join(folder, 'nowhere', 'api-token')

const secrets = { TOKEN: `file:${join(folder, 'token')}`, KEY: `file:${join(folder, 'key')}` }
const tells = { command: fixture('tells-secrets') }
const inlineTool = (source: string) => `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: \`Described with \${process.env.TOKEN ?? 'nothing'}.\`,
  policy: { secrets: { TOKEN: '${source}' } },
  runtime: inline({
    length: fn({
      description: 'How long it is.',
      input: z.object({}),
      run: () => String(process.env.TOKEN?.length),
    }),
  }),
})
`
const exported = await startSink()
const gateway = await startGateway(
  { after },
  {
    env: { SOURCE_OF_TOKEN: VALUE, NOTHING: '' },
    config: { telemetry: { endpoint: exported.url }, log: { level: 'debug' } },
    tools: {
      own: { ...tells, policy: { secrets } },
      shared: { ...tells, mode: 'daemon', policy: { secrets: { TOKEN: 'env:SOURCE_OF_TOKEN' } } },
      here: inlineTool('env:SOURCE_OF_TOKEN'),
      neighbour: tells,
      refuses: { command: fixture('tells-secrets', 'initialize'), policy: { secrets } },
      unlisted: { command: fixture('tells-secrets', 'tools/list'), policy: { secrets } },
      lost: { ...tells, policy: { secrets: { API_TOKEN: `file:${LOST}` } } },
      lost_here: inlineTool(`file:${LOST}`).replace('policy:', "mode: 'launcher', policy:"),
      unset: { ...tells, policy: { secrets: { API_TOKEN: 'env:NOT_SET' } } },
      empty: { ...tells, policy: { secrets: { API_TOKEN: 'env:NOTHING' } } },
      unmounted: { ...tells, policy: { secrets: { API_TOKEN: 'mounted:toolgate-test-none' } } },
      leaked: `import { command, defineTool } from 'toolgate'
export default defineTool({
  description: 'Its author mistook the source for the value.',
  runtime: command('true'),
  policy: { secrets: { TOKEN: ${JSON.stringify(WRITTEN)} } },
})
`,
    },
  },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`

test('a program gets its secrets in its environment, and nobody else gets them', async () => {
  const session = await openSession(mcp('own'))
  assert.equal(await session.callText('tell'), VALUE)
  const names = (await session.callText('names')).split(' ')
  assert.ok(names.includes('TOKEN') && names.includes('KEY'), names.join())
  assert.ok(!names.includes('SOURCE_OF_TOKEN'))
  await session.end()
  const next = await openSession(mcp('neighbour'))
  assert.equal(await next.callText('tell'), '')
  await next.end()
})

test('no secret can have the name of what every process gets', async () => {
  const session = await openSession(mcp('neighbour'))
  const { isReserved } = await import('../../src/tool/secret-source.ts')
  const names = (await session.callText('names')).split(' ')
  // Its own runtime adds to the environment what nobody gave.
  const given = names.filter((name) => !name.startsWith('__CF') && name !== '')
  assert.ok(given.length >= 3)
  assert.deepEqual(
    given.filter((name) => !isReserved(name)),
    [],
  )
  await session.end()
})

test('a shared process and an inline tool get them too; describing the file needs none', async () => {
  for (const tool of ['shared', 'here']) {
    await toolReady(gateway, tool)
    const reply = await callRest(gateway, tool, 'length')
    assert.equal(reply.status, 200, reply.text)
    assert.match(reply.text, new RegExp(`"${VALUE.length}"`))
  }
  assert.equal((await toolView(gateway, 'here')).description, 'Described with nothing.')
})

test("what a tool says of its secrets passes to its client as it is: they are the tool's words", async () => {
  const session = await openSession(mcp('own'))
  const refused = await session.request('tools/call', { name: 'fail', arguments: {} })
  assert.equal(errorOf(refused).message, `${VALUE} was refused`)
  await session.end()
})

test('a new process reads its secrets anew, one that runs keeps its own', async (t) => {
  const path = join(folder, 'rotated')
  writeFileSync(path, 'the first')
  const policy = { secrets: { TOKEN: `file:${path}` } }
  const { url } = await startGateway(t, { tools: { own: { ...tells, policy } } })
  const first = await openSession(`${url}/mcp/own`)
  assert.equal(await first.callText('tell'), 'the first')
  writeFileSync(path, 'the second')
  const second = await openSession(`${url}/mcp/own`)
  assert.equal(await second.callText('tell'), 'the second')
  assert.equal(await first.callText('tell'), 'the first')
  rmSync(path)
  assert.match(errorOf((await initialize(`${url}/mcp/own`)).json()).message, /"TOKEN"/)
  assert.equal(await second.callText('tell'), 'the second')
})

/** Every entrance by which a process may be started; each gives what it was answered. */
const ENTRANCES: Record<string, (tool: string) => Promise<string>> = {
  'a legacy session': async (tool) => (await initialize(mcp(tool))).text,
  'a legacy request without a session': async (tool) => {
    const body = { jsonrpc: '2.0', id: 'mine', method: 'tools/call', params: LENGTH }
    return (await raw(mcp(tool), { method: 'POST', headers: { accept: ACCEPT }, body })).text
  },
  'HTTP+SSE': (tool) => {
    return openSseSession(`${mcp(tool)}/sse`).then(
      () => 'a session was opened',
      (error) => String(error),
    )
  },
  'a modern request': async (tool) => (await modern(mcp(tool), 'tools/call', LENGTH)).text,
  REST: async (tool) => (await callRest(gateway, tool, 'length')).text,
  'an event stream of REST': async (tool) => {
    const headers = { accept: 'text/event-stream' }
    const url = `${gateway.url}/v1/tools/${tool}/length`
    return (await raw(url, { method: 'POST', headers, body: {} })).text
  },
  '/mcp/invoke': async (tool) => {
    const body = { tool_name: `${tool}__length`, arguments: {} }
    return (await raw(`${gateway.url}/mcp/invoke`, { method: 'POST', body })).text
  },
}
const LENGTH = { name: 'length', arguments: {} }

/** The same for tools whose functions are known without starting them. */
const OF_ALL_TOOLS: typeof ENTRANCES = {
  'a legacy session of all tools': async (tool) => {
    const session = await openSession(`${gateway.url}/mcp`)
    const params = { name: `${tool}__length`, arguments: {} }
    const answer = await session.request('tools/call', params)
    await session.end()
    return JSON.stringify(answer)
  },
  'a modern request to all tools': async (tool) => {
    const params = { name: `${tool}__length`, arguments: {} }
    return (await modern(`${gateway.url}/mcp`, 'tools/call', params)).text
  },
}

const WITHOUT: Record<string, string> = {
  lost: 'there is no such file',
  unset: 'the variable is not set',
  empty: 'the variable is not set',
  unmounted: 'there is no such file',
  lost_here: 'there is no such file',
}
for (const [tool, why] of Object.entries(WITHOUT)) {
  const entrances = { ...ENTRANCES, ...(tool === 'lost_here' && OF_ALL_TOOLS) }
  test(`a tool whose secret is missing does not start, whoever calls: ${tool}`, async () => {
    await looked(tool)
    for (const [entrance, refused] of Object.entries(entrances)) {
      const said = await refused(tool)
      assert.match(said, /-32012|tool_failed_to_start/, entrance)
      assert.match(said, /its secret \\"\w*TOKEN\\" is missing/, entrance)
      assert.doesNotMatch(
        said,
        /file:|env:|mounted:|nowhere|NOT_SET|NOTHING|run\/secrets/,
        entrance,
      )
    }
    const line = gateway.logs.find((line) => line.tool === tool && line.secret !== undefined)
    assert.equal(line?.why, why)
    assert.match(String(line?.source), /^(?:file:\/|env:N|mounted:toolgate-test-none$)/)
    const { lastError } = await toolView(gateway, tool)
    assert.match(JSON.stringify(lastError), /its secret \\"\w*TOKEN\\" is missing/)
    assert.equal(gateway.logs.filter((line) => line.tool === tool && line.pid).length, 0)
  })
}

test('a tool starts as soon as its secret is there', async (t) => {
  const path = join(folder, 'late')
  const tools = { late: inlineTool(`file:${path}`) }
  const late = await startGateway(t, { tools })
  const call = () => callRest(late, 'late', 'length')
  assert.equal((await call()).status, 502)
  assert.match(JSON.stringify((await toolView(late, 'late')).lastError), /"TOKEN\\"/)
  writeFileSync(path, 'it came')
  const reply = await until('it to be started', async () => {
    const reply = await call()
    return reply.status === 200 ? reply : undefined
  })
  assert.match(reply.text, /"7"/)
  assert.equal((await toolView(late, 'late')).lastError, undefined)
})

test('what a tool had from its secrets is found nowhere but in its answers', async () => {
  const session = await openSession(mcp('own'))
  for (const chunks of [2, 300]) await session.callText('print', { chunks })
  await looked('refuses')
  await looked('unlisted')
  // A process of its own passes what the tool says on, and a shared one is spoken to by us.
  assert.match((await initialize(mcp('refuses'))).text, new RegExp(`${VALUE} was refused`))
  for (const tool of ['refuses', 'unlisted']) await callRest(gateway, tool, 'length')
  const said = await until('all that was printed', () => {
    const logged = JSON.stringify(gateway.logs)
    return logged.split('"noise [secret TOKEN]"').length > 2 ? logged : undefined
  })
  assert.match(said, /"line":"starting with \[secret TOKEN\]"/)
  assert.match(said, /"line":"\{\\"KEY\\":\\"\[secret KEY\]\\"\}"/)
  assert.match(said, /"line":"\[secret KEY\]"/)
  assert.match(said, /"line":"\.{4090}\[secret TOKEN\]"/)
  for (const tool of ['refuses', 'unlisted']) {
    const view = await toolView(gateway, tool)
    assert.match(JSON.stringify(view.lastError), /\[secret TOKEN\] was refused/, tool)
  }
  assert.equal((await toolView(gateway, 'leaked')).state, 'broken')
  await until('spans', () => exported.received.some((text) => /secret TOKEN/.test(text)))

  const lines = commandLines()
  assert.ok(lines.some((line) => line.includes('tells-secrets')))
  const places: Record<string, string> = { log: said, stderr: gateway.stderr() }
  places.spans = exported.received.join('\n')
  places['command lines'] = lines.join('\n')
  const metrics = gateway.logs.find(({ msg }) => msg === 'listening')?.metricsUrl
  const paths = ['/v1/tools', '/openapi.json', '/openapi.yaml', '/docs', '/health', '/mcp']
  const { tools } = (await raw(`${gateway.url}/v1/tools`)).json() as { tools: { name: string }[] }
  paths.push(...tools.map(({ name }) => `/v1/tools/${name}`))
  for (const path of paths) places[path] = (await raw(gateway.url + path)).text
  places.metrics = (await raw(String(metrics))).text
  assert.match(places.metrics, /mcp_gateway_spawns_total/)
  for (const [place, text] of Object.entries(places)) {
    assert.ok(!text.includes(WRITTEN), `${place} has what was written`)
  }
  const home = dirname(gateway.workspace)
  const files = readdirSync(home, { recursive: true, withFileTypes: true })
  for (const file of files.filter((file) => file.isFile())) {
    const path = join(file.parentPath, file.name)
    places[path] = readFileSync(path, 'latin1')
  }
  for (const kept of ['declarations/own-', 'sources/here-', 'compiled/'])
    assert.ok(
      Object.keys(places).some((path) => path.includes(`cache/${kept}`)),
      kept,
    )
  for (const [place, text] of Object.entries(places)) {
    assert.ok(!text.includes(VALUE), `${place} has it`)
    // As a line that was cut would have it.
    assert.ok(!text.includes(VALUE.slice(0, 12)), `${place} has its beginning`)
  }
  await session.end()
})

/** Waits until the gateway has tried to learn a tool. */
async function looked(tool: string): Promise<void> {
  await until(`${tool} to be looked at`, async () => {
    return ['ready', 'failed'].includes(String((await toolView(gateway, tool)).state))
  })
}

/** What everybody on this machine can read of every process. */
function commandLines(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')]
    } catch {
      return []
    }
  })
}

/** Receives whatever is sent to it, as text. */
async function startSink() {
  const received: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const zipped = request.headers['content-encoding'] === 'gzip'
    received.push((zipped ? gunzipSync(bytes) : bytes).toString())
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The sink has no port.')
  return { url: `http://127.0.0.1:${address.port}`, received }
}
