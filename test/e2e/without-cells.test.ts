import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import { errorOf, initialize, openSession } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { callRest, toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

/** A machine on which there is Node and a shell, and nothing that makes cells. */
const bin = mkdtempSync(join(tmpdir(), 'toolgate-bin-'))
mkdirSync(join(bin, 'bin'))
symlinkSync(process.execPath, join(bin, 'bin', 'node'))
after(() => rmSync(bin, { recursive: true, force: true }))

const inline = (policy: string, body: string) => `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
export default defineTool({
  description: 'Inline.',
  ${policy}
  runtime: inline({
    run: fn({ description: 'Run it.', input: z.object({}), async run() { ${body} } }),
  }),
})
`
const attack = `
  const tried: Record<string, string> = {}
  const attempt = async (name: string, run: () => unknown) => {
    try { await run(); tried[name] = 'THROUGH' } catch (error) { tried[name] = (error as { code?: string }).code ?? 'no' }
  }
  const fs = await import('node:fs')
  const { spawnSync } = await import('node:child_process')
  const { Worker } = await import('node:worker_threads')
  await attempt('reads', () => fs.readFileSync('/etc/passwd'))
  await attempt('writes', () => fs.writeFileSync('/tmp/toolgate-test-permitted', ''))
  await attempt('spawns', () => { const { error } = spawnSync('true'); if (error) throw error })
  await attempt('threads', () => new Worker('0', { eval: true }))
  return JSON.stringify({ ...tried, env: Object.keys(process.env) })
`
const gateway = await startGateway(
  { after },
  {
    env: { PATH: join(bin, 'bin') },
    tools: {
      program: { command: fixture('echo'), policy: { sandbox: 'required' } },
      trusted: { command: fixture('echo') },
      given: inline("policy: { workspace: 'read-only' },", "return 'ran'"),
      asks_nothing: inline('', "return 'ran'"),
      attacks: inline('', attack),
    },
  },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const WAYS_OUT =
  /bubblewrap \(bwrap\) is not installed; install bubblewrap, or say policy: \{ sandbox: 'none' \}/

for (const tool of ['program', 'given']) {
  test(`without bubblewrap ${tool} answers 503 with the two ways out, at every entrance`, async () => {
    const view = await until('it to be looked at', async () => {
      const seen = await toolView(gateway, tool)
      return seen.state === 'learning' ? undefined : seen
    })
    assert.equal(view.sandbox, 'missing')
    assert.match(JSON.stringify(view.lastError), WAYS_OUT)
    const rest = await callRest(gateway, tool, 'run')
    assert.deepEqual([rest.status, rest.json().code], [503, 'no_cell'])
    assert.match(String(rest.json().detail), WAYS_OUT)
    const legacy = await initialize(mcp(tool))
    const { message, code } = errorOf(legacy.json())
    assert.equal(code, -32_017)
    assert.match(message, WAYS_OUT)
    const request = { name: 'run', arguments: {} }
    assert.match((await modern(mcp(tool), 'tools/call', request)).text, WAYS_OUT)
    const all = { name: `${tool}__run`, arguments: {} }
    assert.match((await modern(`${gateway.url}/mcp`, 'tools/call', all)).text, WAYS_OUT)
    const invoked = await raw(`${gateway.url}/mcp/invoke`, {
      method: 'POST',
      body: { tool_name: `${tool}__run`, arguments: {} },
    })
    assert.deepEqual([invoked.status, invoked.json().code], [503, 'no_cell'])
    const sse = await openSseSession(`${gateway.url}/mcp/${tool}/sse`).catch(String)
    const said =
      typeof sse === 'string' ? sse : JSON.stringify(await sse.request('tools/call', request))
    assert.match(said, typeof sse === 'string' ? /503/ : WAYS_OUT)
  })
}

test('what may do without is served, and listed so', async () => {
  assert.equal((await callRest(gateway, 'asks_nothing', 'run')).status, 200)
  assert.equal((await toolView(gateway, 'asks_nothing')).sandbox, 'permission')
  const session = await openSession(mcp('trusted'))
  assert.equal(await session.callText('echo', { a: 1 }), '{"a":1}')
  assert.equal((await toolView(gateway, 'trusted')).sandbox, 'none')
})

test('Node itself refuses an inline tool files, processes, threads and the environment', async () => {
  const { content } = (await callRest(gateway, 'attacks', 'run')).json() as {
    content: { text: string }[]
  }
  const { env, ...tried } = JSON.parse(content[0]?.text ?? '{}')
  const denied = 'ERR_ACCESS_DENIED'
  assert.deepEqual(tried, { reads: denied, writes: denied, spawns: denied, threads: denied })
  assert.deepEqual(env, ['X_TOOLGATE_INSTANCE'])
})
