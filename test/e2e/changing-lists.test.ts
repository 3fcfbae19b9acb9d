import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'
import { callRest, toolReady, toolView } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const limits = { calls: 100_000, per: '1s' }
const gateway = await startGateway(
  { after },
  {
    tools: {
      fails: { command: fixture('fails-to-list'), mode: 'daemon', limits },
      grows: { command: fixture('changes-while-listed'), mode: 'daemon', limits },
    },
  },
)

test('functions stay known when a tool fails to list them anew', async () => {
  await toolReady(gateway, 'fails')
  const session = await openSession(`${gateway.url}/mcp/fails`)
  assert.equal(await session.callText('change'), 'changed')
  await until('the list to be asked for', async () => Number(await session.callText('asked')) > 0)
  for (const name of ['hi', 'change', 'hi'])
    assert.equal((await callRest(gateway, 'fails', name)).status, 200)
  assert.equal((await toolView(gateway, 'fails')).state, 'ready')
  await session.end()
})

test('a change of the list while it is being read is read too', async () => {
  await toolReady(gateway, 'grows')
  assert.equal((await callRest(gateway, 'grows', 'grow')).status, 200)
  for (const name of ['second', 'third'])
    await until(`${name} to be known`, async () => {
      return (await callRest(gateway, 'grows', name)).status === 200
    })
})
