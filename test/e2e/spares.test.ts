import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import { type Json, openSession } from '../harness/session.ts'
import { toolReady } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    config: { limits: { calls: 10_000, per: '1s' } },
    tools: {
      echo: { command: fixture('echo'), warm: 2, description: 'first' },
      noisy: { command: fixture('prints-noise'), warm: 1 },
      apart: {
        command: fixture('echo'),
        warm: 1,
        policy: { workspace: { access: 'read-write', per: 'caller' } },
      },
    },
  },
)
await Promise.all(['echo', 'noisy', 'apart'].map((name) => toolReady(gateway, name)))

async function running(tool: string): Promise<Json[]> {
  const { running } = (await raw(`${gateway.url}/v1/tools/${tool}`)).json()
  return running as Json[]
}
const spares = async (tool: string) => (await running(tool)).filter(({ spare }) => spare === true)
const haveSpares = (tool: string, count: number) =>
  until(`${count} spares of ${tool}`, async () => (await spares(tool)).length === count)
const startOf = (id: unknown) =>
  gateway.logs.find((line) => line.msg === 'instance started' && line.instance === id)

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('a session is served by a spare, in its own trace by _meta alone', async () => {
  await haveSpares('echo', 2)
  const ids = (await spares('echo')).map(({ id }) => id)
  const session = await openSession(`${gateway.url}/mcp/echo`, { headers: { traceparent: TRACE } })
  const { pid, meta, traceparent } = JSON.parse(await session.callText('where'))
  const handed = await gateway.waitForLog('the spare', (line) => line.msg === 'spare handed out')
  assert.ok(ids.includes(handed.instance))
  assert.equal(startOf(handed.instance)?.pid, pid)
  assert.equal(traceparent, undefined)
  assert.match(meta.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-/)
  assert.equal((await running('echo')).find(({ id }) => id === handed.instance)?.spare, undefined)
  await haveSpares('echo', 2)
  await session.end()
  await until('its process to end', () => !isAlive(pid))
  assert.equal((await spares('echo')).length, 2)
})

test('what metrics say of spares', async () => {
  await haveSpares('echo', 2)
  const { metricsUrl } = await gateway.waitForLog('metrics', ({ msg }) => msg === 'listening')
  const { text } = await raw(String(metricsUrl))
  assert.match(text, /^mcp_gateway_spares\{tool="echo"\} 2$/m)
})

test('what a spare prints is logged while it waits, and its session is served', async () => {
  await haveSpares('noisy', 1)
  const [spare] = await spares('noisy')
  await gateway.waitForLog('its noise', ({ msg, instance }) => {
    return msg === 'stdout noise skipped' && instance === spare?.id
  })
  const session = await openSession(`${gateway.url}/mcp/noisy`)
  await gateway.waitForLog('it to be handed out', ({ msg, instance }) => {
    return msg === 'spare handed out' && instance === spare?.id
  })
  assert.ok((await session.request('tools/list')).result)
  await session.end()
})

test('a new version has spares of its own, and those of the old one end', async () => {
  await haveSpares('echo', 2)
  const before = (await spares('echo')).map(({ id }) => Number(startOf(id)?.pid))
  gateway.tools.write('echo', { command: fixture('echo'), warm: 1, description: 'second' })
  await toolReady(gateway, 'echo', 'second')
  await until('the old ones to end', () => before.every((pid) => !isAlive(pid)))
  await haveSpares('echo', 1)
  const session = await openSession(`${gateway.url}/mcp/echo`)
  await session.callText('where')
  await session.end()
})

test('a tool whose processes are of one caller each has no spares', async () => {
  await haveSpares('echo', 1)
  assert.deepEqual(await spares('apart'), [])
})

test('a gateway that stops leaves no spare', async () => {
  await haveSpares('echo', 1)
  gateway.signal('SIGTERM')
  assert.equal(await gateway.exit, 0)
  assert.deepEqual(gateway.processes(), [])
})
