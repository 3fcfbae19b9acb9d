import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'
import { allLearned, starts } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  { tools: { counts: { command: fixture('counts-calls'), mode: 'daemon', idle: '1s' } } },
)

test('a notification does not start a shared tool that was stopped, a call does', async () => {
  await allLearned(gateway)
  const session = await openSession(`${gateway.url}/mcp/counts`)
  const { pid } = JSON.parse(await session.callText('count'))
  await until('it to be stopped', () => gateway.processes().length === 0)
  const before = starts(gateway, 'counts')
  for (const method of ['initialized', 'roots/list_changed', 'cancelled', 'progress'])
    assert.equal((await session.notify(`notifications/${method}`, { requestId: 1 })).status, 202)
  // The time in which a process would have been started.
  await new Promise((later) => setTimeout(later, 500))
  assert.equal(starts(gateway, 'counts'), before)
  assert.deepEqual(gateway.processes(), [])
  assert.notEqual(JSON.parse(await session.callText('count')).pid, pid)
  await session.end()
})
