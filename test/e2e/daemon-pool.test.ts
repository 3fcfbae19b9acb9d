import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { messageIn, openSession } from '../harness/session.ts'
import { toolReady } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const daemon = (name: string, min: number, max: number) => ({
  command: fixture(name),
  description: 'A pool.',
  mode: 'daemon',
  instances: { min, max },
  idle: '500ms',
})
const gateway = await startGateway(
  { after },
  {
    config: { limits: { calls: 10_000, per: '1s' } },
    tools: { counts: daemon('counts-calls', 1, 3), announces: daemon('announces', 2, 2) },
  },
)
await Promise.all(['counts', 'announces'].map((name) => toolReady(gateway, name, 'A pool.')))

const count = async (args: object = {}) => {
  const url = `${gateway.url}/v1/tools/counts/count`
  const { content } = (await raw(url, { method: 'POST', body: args })).json()
  return JSON.parse((content as [{ text: string }])[0].text) as { pid: number; calls: number }
}
const instances = async (tool: string) =>
  Number((await raw(`${gateway.url}/v1/tools/${tool}`)).json().instances)
const haveInstances = (tool: string, wanted: number) =>
  until(`${wanted} of ${tool}`, async () => (await instances(tool)) === wanted)

test('a pool has its least before anybody calls, grows while it is busy, and shrinks when idle', async () => {
  await haveInstances('counts', 1)
  const first = await count()
  assert.equal(first.calls, 1)
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => count({ wait: 800 })))
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, 3)
  await haveInstances('counts', 1)
})

test('one that is killed is replaced, and sessions go on', async () => {
  const session = await openSession(`${gateway.url}/mcp/counts`)
  const { pid } = JSON.parse(await session.callText('count'))
  process.kill(pid, 'SIGKILL')
  const seen = (line: { msg?: string; pid?: unknown }) =>
    line.msg === 'instance ended by itself' && line.pid === pid
  await gateway.waitForLog('its end', seen)
  assert.notEqual(JSON.parse(await session.callText('count')).pid, pid)
  await session.end()
  await haveInstances('counts', 1)
})

test('a call that is cancelled is cancelled in the process that has it', async () => {
  const session = await openSession(`${gateway.url}/mcp/counts`)
  const calling = session.stream('tools/call', { name: 'count', arguments: { wait: 60_000 } }, 7)
  await until('it to run', async () => (await count()).calls > 0)
  await session.notify('notifications/cancelled', { requestId: 7 })
  const stream = await calling
  await stream.closed
  await session.end()
})

test('news of any process reaches a session that subscribed through another', async () => {
  await haveInstances('announces', 2)
  const session = await openSession(`${gateway.url}/mcp/announces`)
  const stream = await session.listen()
  await session.request('resources/subscribe', { uri: 'it://one' })
  const url = `${gateway.url}/v1/tools/announces/announce`
  const updates = () =>
    stream.events.filter((event) => messageIn(event).method === 'notifications/resources/updated')
  const call = () => raw(url, { method: 'POST', body: {} })
  await until('updates of both', async () => {
    await Promise.all([call(), call(), call(), call()])
    return updates().length >= 8
  })
  await session.end()
})
