import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { openSession } from '../harness/session.ts'
import { callRest, toolReady, toolView } from '../harness/tool-view.ts'
import { toolsFolder } from '../harness/tools-folder.ts'
import { until } from '../harness/until.ts'

const INLINE = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
const hi = fn({ description: 'Says hi.', input: z.object({}), run: () => 'hi' })
export default defineTool({ description: 'Here.', runtime: inline({ hi }) })
`
const TOOLS = {
  modern: { command: fixture('modern-echo') },
  dual: { command: fixture('everything', 'dual') },
  legacy: { command: fixture('echo') },
  exits: { command: fixture('exits-on-discover') },
  silent: { command: fixture('silent-on-discover') },
  declared: { command: fixture('modern-echo'), era: 'modern' },
  inline: INLINE,
}
const ERAS = {
  modern: 'modern',
  dual: 'dual',
  legacy: 'legacy',
  exits: 'legacy',
  silent: 'legacy',
  declared: 'modern',
  inline: 'legacy',
}
/** Silence means no after half of a start. */
const config = { timeouts: { start: '12s' } }

test('the era of each tool is found out once, shown, and remembered by the next gateway', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'toolgate-eras-'))
  after(() => rmSync(dir, { recursive: true, force: true }))
  const folder = toolsFolder(dir, 'eras')
  for (const [name, source] of Object.entries(TOOLS)) folder.write(name, source)
  const options = { config, args: ['--tools', dir], env: { TOOLGATE_CACHE: join(dir, '.cache') } }
  const first = await startGateway(t, options)
  await known(first)
  assert.deepEqual(probes(first), {
    modern: 2,
    dual: 2,
    legacy: 1,
    exits: 1,
    silent: 1,
    declared: 0,
    inline: 0,
  })
  for (const name of Object.keys(TOOLS))
    await until(`no process of ${name} to be left`, async () => {
      return (await toolView(first, name)).instances === 0
    })
  await first.stop()
  const second = await startGateway(t, options)
  await known(second)
  for (const [name, count] of Object.entries(probes(second))) assert.equal(count, 0, name)
  assert.deepEqual(
    second.logs.filter(({ msg }) => msg === 'instance started'),
    [],
  )
})

test('a session opened before the era is known is served in the right one', async (t) => {
  const gateway = await startGateway(t, { config, tools: { early: TOOLS.modern } })
  const session = await openSession(`${gateway.url}/mcp/early`)
  assert.equal(await session.callText('echo', { a: 1 }), '{"a":1}')
  await session.end()
  await until('no process to be left', () => gateway.processes().length === 0)
})

test('a tool that is edited from one era to another is asked anew', async (t) => {
  const gateway = await startGateway(t, { config, tools: { turns: TOOLS.legacy } })
  await toolReady(gateway, 'turns')
  assert.equal((await toolView(gateway, 'turns')).era, 'legacy')
  gateway.tools.write('turns', { ...TOOLS.modern, description: 'modern now' })
  await toolReady(gateway, 'turns', 'modern now')
  assert.equal((await toolView(gateway, 'turns')).era, 'modern')
})

test('a gateway that ends while it asks a tool for its era leaves nothing', async (t) => {
  const gateway = await startGateway(t, {
    config: { timeouts: { drain: '500ms', stdin: '500ms', term: '500ms' } },
    tools: { silent: { command: fixture('never-reads-stdin') } },
  })
  await until('it to be asked', () => gateway.processes().length > 0)
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  assert.deepEqual(gateway.processes(), [])
})

test('what a modern daemon says has changed is learned anew', async (t) => {
  const gateway = await startGateway(t, { tools: { changes: { ...TOOLS.modern, mode: 'daemon' } } })
  await toolReady(gateway, 'changes')
  assert.equal((await callRest(gateway, 'changes', 'change')).status, 200)
  await until('its new function', async () => {
    const { functions } = await toolView(gateway, 'changes')
    return JSON.stringify(functions).includes('"extra"')
  })
})

test("a caller's calls over REST have a process each while a legacy tool may ask", async (t) => {
  const hash = createHash('sha256').update('ada-secret').digest('hex')
  const gateway = await startGateway(t, {
    config: { keys: [{ id: 'ada', hash: `sha256:${hash}`, scopes: [] }] },
    tools: { counts: { command: fixture('counts-calls') } },
  })
  const count = async (wait: number) => {
    const url = `${gateway.url}/v1/tools/counts/count`
    const headers = { 'x-api-key': 'ada-secret' }
    const { status, text } = await raw(url, { method: 'POST', headers, body: { wait } })
    return status === 200 ? JSON.parse(JSON.parse(text).content[0].text).pid : undefined
  }
  const first = await until('it to be learned', () => count(0))
  const pids = new Set(await Promise.all([count(500), count(500)]))
  assert.equal(pids.size, 2)
  assert.ok(pids.has(first))
  for (let call = 0; call < 3; call++) assert.ok(pids.has(await count(0)))
})

async function known(gateway: Gateway): Promise<void> {
  for (const [name, era] of Object.entries(ERAS)) {
    await toolReady(gateway, name)
    assert.equal((await toolView(gateway, name)).era, era, name)
  }
}

function probes(gateway: Gateway): Record<string, number> {
  const count = (name: string) =>
    gateway.logs.filter(({ tool, probe, msg }) => {
      return tool === name && probe === true && msg === 'instance started'
    }).length
  return Object.fromEntries(Object.keys(TOOLS).map((name) => [name, count(name)]))
}
