import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { errorOf, openSession } from '../harness/session.ts'
import { toolReady } from '../harness/tool-view.ts'

const limited = (calls: number) => ({
  description: `${calls} calls`,
  command: fixture('counts-calls'),
  limits: { calls, per: '1h', burst: 0 },
})
const gateway = await startGateway({ after }, { tools: { versions: limited(5) } })
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`

test('two versions of a tool in turn give no more calls than the larger limit', async () => {
  const earlier = await openSession(mcp('versions'))
  gateway.tools.write('versions', limited(6))
  await toolReady(gateway, 'versions', '6 calls')
  const later = await openSession(mcp('versions'))
  let passed = 0
  for (let round = 0; round < 10; round++)
    for (const session of [earlier, later]) {
      const answer = await session.request('tools/call', { name: 'count', arguments: {} })
      if (answer.error) assert.equal(errorOf(answer).code, -32009)
      else passed += 1
    }
  assert.ok(passed >= 1 && passed <= 6, `${passed} calls passed`)
  await Promise.all([earlier.end(), later.end()])
})
