import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'

const gateway = await startGateway(
  { after },
  { tools: { counts: { command: fixture('speaks-2025-03-26') } } },
)
const mcp = (tool: string) => `${gateway.url}/mcp/${tool}`
const WITHOUT_ID = {
  jsonrpc: '2.0',
  method: 'tools/call',
  params: { name: 'count', arguments: {} },
}
const ONCE = 'called 1, initialized 1'

test('a call without an id is refused in a batch too', async () => {
  const session = await openSession(mcp('counts'), { protocolVersion: '2025-03-26' })
  const reply = await session.post([WITHOUT_ID, { jsonrpc: '2.0', id: 'p', method: 'ping' }])
  assert.match(reply.text, /-32600/)
  assert.equal(await session.callText('count'), ONCE)
  await session.end()
})
