import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openDescriptors } from '../harness/processes.ts'
import { errorOf, messageIn, openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    config: { timeouts: { ask: '12s' } },
    tools: {
      hurried: { command: fixture('asks-later'), timeout: '1s' },
      patient: { command: fixture('asks-later'), timeout: '30s' },
    },
  },
)
const open = (tool: string) =>
  openSession(`${gateway.url}/mcp/${tool}`, { capabilities: { roots: { listChanged: true } } })
const isQuestion = ({ data }: { data: string }) => data.includes('roots/list')

test('a question of a cancelled call does not lengthen the time of the next one', async () => {
  const session = await open('hurried')
  const asking = await session.stream('tools/call', { name: 'at-once', arguments: {} }, 'asks')
  await asking.waitFor('the question', isQuestion)
  await session.notify('notifications/cancelled', { requestId: 'asks' })
  const since = performance.now()
  const late = await session.request('tools/call', { name: 'hang', arguments: {} })
  assert.equal(errorOf(late).code, -32016)
  const took = performance.now() - since
  assert.ok(took > 900 && took < 6000, `answered after ${took} ms`)
  asking.abort()
  await session.end()
})

test("a question goes to the client's open stream when that of the call is broken", async () => {
  const session = await open('patient')
  const listening = await session.listen()
  await listening.waitFor('the first event', () => true)
  const call = await session.stream('tools/call', { name: 'ask', arguments: {} }, 'call')
  const before = openDescriptors(gateway.pid)
  call.abort()
  await until('the gateway to see it', () => openDescriptors(gateway.pid) < before)
  await session.notify('notifications/roots/list_changed')
  const question = await listening.waitFor('the question', isQuestion)
  assert.equal((await session.respond(messageIn(question).id, { roots: [] })).status, 202)
  listening.abort()
  await session.end()
})
