import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { IMAGE } from '../harness/engine.ts'
import { type Gateway, type GatewayOptions, type Owner, startGateway } from '../harness/gateway.ts'
import { noPodman, PLAIN_USER, startPodman, type TestPodman } from '../harness/podman.ts'
import { absent } from '../harness/services.ts'
import { errorOf, openSession, textOf } from '../harness/session.ts'
import { callRest, toolReady, toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'
import { asUser } from '../harness/users.ts'

const skip = noPodman || absent('bwrap') || absent('setpriv')
const ends: (() => Promise<void>)[] = []
const file: Owner = { after: (end) => void ends.push(end) }
let rootful: TestPodman
let rootless: TestPodman

before(async () => {
  if (skip) return
  const both = [startPodman(file), startPodman(file, { rootless: true })] as const
  ;[rootful, rootless] = await Promise.all(both)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('Podman keeps a tool to every line of its cell', { skip }, async (t) => {
  const policy = `workspace: 'read-write', memory: '256MB', processes: 40, cpus: 0.5`
  const gateway = await start(t, rootful, { boxed: toolOf('looks-around', policy) })
  const session = await openSession(`${gateway.url}/mcp/boxed`)
  const call = (name: string, args: object = {}) => session.callText(name, args)
  // The one that was asked what the tool has goes.
  await count(rootful, 1)
  const [container] = await rootful.containers()
  const { HostConfig: host } = await rootful.docker.getContainer(String(container?.Id)).inspect()
  assert.equal(host.Privileged, false)
  assert.equal(host.NetworkMode, 'none')
  assert.equal(host.ReadonlyRootfs, true)
  // What it calls the engine's own kind of private: another container may ask to share it.
  assert.match(String(host.IpcMode), /^(private|shareable)$/)
  assert.deepEqual(host.CapAdd ?? [], [])
  assert.equal(host.AutoRemove, true)
  assert.deepEqual([host.PidsLimit, host.Memory, host.NanoCpus], [40, 2 ** 28, 5e8])
  const [plain, filter = ''] = host.SecurityOpt ?? []
  assert.equal(plain, 'no-new-privileges')
  assert.match(readFileSync(filter.replace(/^seccomp=/, ''), 'utf8'), /"io_uring_setup"/)
  const status = await call('status')
  for (const line of [/^NoNewPrivs:\s+1$/m, /^CapEff:\s+0{16}$/m, /^CapBnd:\s+0{16}$/m]) {
    assert.match(status, line)
  }
  assert.match(status, /^Uid:\s+2\d{6}\s/m)
  assert.match(status, /^Seccomp:\s+2$/m)
  const write = (path: string) => call('write', { path })
  for (const path of ['/etc/mine', '/run/mine', '/var/tmp/mine']) {
    assert.match(await write(path), /^(EROFS|EACCES|ENOENT)$/, path)
  }
  for (const path of ['/tmp/mine', '/data/mine', '/workspace/mine']) {
    assert.equal(await write(path), 'written', path)
  }
  assert.equal(await call('fill', { path: '/tmp/much', megabytes: 80 }), 'ENOSPC')
  assert.equal(await call('fill', { path: '/data/much', megabytes: 80 }), 'ENOSPC')
  assert.equal(await call('read', { path: rootful.socket }), 'ENOENT')
  assert.match(await call('connect', { host: '1.1.1.1', port: 80 }), /^(ENETUNREACH|EADDRNOT)/)
  const view = await viewOf(gateway)
  assert.equal(view.sandbox, 'container')
  assert.match(String(lineOf(view, 'image')?.rule), /^localhost\/toolgate-test\/fixtures@sha256:/)
  assert.match(String(lineOf(view, 'system calls')?.rule), /io_uring/)
  assert.match(String(lineOf(view, '/run')?.rule), /^nosuid.*,ro$/)
  await until('its usage', async () => {
    const { running } = await viewOf(gateway)
    return Number(running[0]?.usage?.memory) > 1e6
  })
  const eaten = await session.request('tools/call', { name: 'eat', arguments: {} })
  assert.match(errorOf(eaten).message, /SIGKILL|more than its memory/)
  await session.end()
})

test('Podman’s tools serve over REST, and none outlives the gateway', { skip }, async (t) => {
  const gateway = await start(t, rootful, { boxed: toolOf('echo') })
  await toolReady(gateway, 'boxed')
  const answer = await callRest(gateway, 'boxed', 'echo', { said: 'hello' })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(textOf({ result: answer.json() }), '{"said":"hello"}')
  await openSession(`${gateway.url}/mcp/boxed`)
  await count(rootful, 1)
  gateway.signal('SIGKILL')
  await gateway.exit
  const options = { env: { TOOLGATE_CACHE: join(gateway.workspace, '../cache') } }
  const next = await start(t, rootful, { boxed: toolOf('echo') }, options)
  await count(rootful, 0)
  await openSession(`${next.url}/mcp/boxed`)
  await count(rootful, 1)
  next.signal('SIGTERM')
  assert.equal(await next.exit, 0)
  await count(rootful, 0)
})

test('where Podman gives no network that the proxy is in, a tool is refused', {
  skip,
}, async (t) => {
  const tools = {
    boxed: toolOf('echo', `network: 'egress'`),
    waived: toolOf('echo', `network: 'egress', sandbox: 'none'`),
  }
  const gateway = await start(t, rootful, tools)
  for (const tool of ['boxed', 'waived']) {
    await refused(gateway, tool, /Podman makes the bridge of a network only for a container/)
    const { errors } = await toolView(gateway, tool)
    assert.match(JSON.stringify(errors), /say network: 'none' in its file/)
  }
  await count(rootful, 0)
})

test('a rootless Podman serves the user that runs it, and the gateway', { skip }, async (t) => {
  const waived = `workspace: 'read-write', sandbox: 'none'`
  const tools = { strict: toolOf('looks-around'), boxed: toolOf('looks-around', waived) }
  const gateway = await start(t, rootless, tools, {
    within: (dir) => asUser(PLAIN_USER, dir, rootless.socket),
  })
  // Without systemd it limits nothing, and says that it does.
  await refused(gateway, 'strict', /cannot limit memory; sandbox: 'none' lets it go/)
  const session = await openSession(`${gateway.url}/mcp/boxed`)
  assert.equal(await session.callText('whoami'), '0:0 /workspace')
  assert.match(await session.callText('status'), /^CapEff:\s+0{16}$/m)
  const write = (path: string) => session.callText('write', { path })
  assert.equal(await write('/workspace/mine'), 'written')
  assert.equal(statSync(join(gateway.workspace, 'boxed/mine')).uid, PLAIN_USER)
  assert.match(await write('/etc/mine'), /^(EROFS|EACCES)$/)
  assert.equal(await session.callText('fill', { path: '/tmp/much', megabytes: 80 }), 'ENOSPC')
  const view = await viewOf(gateway)
  assert.equal(lineOf(view, 'memory')?.by, null)
  // What it has used nobody knows.
  assert.deepEqual(
    view.running.map(({ usage }) => usage),
    [null],
  )
  await session.end()
  await count(rootless, 0)
})

interface View {
  readonly sandbox: string
  readonly cell: readonly { what: string; rule: string; by: string | null }[]
  readonly running: readonly { usage: Record<string, number | null> | null }[]
}

const viewOf = async (gateway: Gateway) => (await toolView(gateway, 'boxed')) as unknown as View

const lineOf = ({ cell }: View, what: string) => cell.find((line) => line.what === what)

/** Once it was tried to learn what it has. */
async function refused(gateway: Gateway, tool: string, why: RegExp): Promise<void> {
  const { status, text } = await until('it to have been tried', async () => {
    const reply = await callRest(gateway, tool, 'any')
    return reply.text.includes('not_learned') ? undefined : reply
  })
  assert.equal(status, 503)
  assert.match(text, why)
}

function toolOf(fixture: string, policy = ''): string {
  return `import { container, defineTool } from 'toolgate'
export default defineTool({
  description: 'A tool in a container of Podman.',
  runtime: container('${IMAGE}', '/app/${fixture}.mjs'),
  policy: { ${policy} },
})
`
}

function start(
  owner: Owner,
  { socket }: TestPodman,
  tools: Record<string, string>,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const config = { engine: { socket }, timeouts: { stdin: '300ms', term: '500ms' } }
  return startGateway(owner, { ...options, config, tools })
}

async function count(podman: TestPodman, wanted: number): Promise<void> {
  const look = async () => (await podman.containers()).length === wanted
  await until(`${wanted} containers`, look, 15_000)
}
