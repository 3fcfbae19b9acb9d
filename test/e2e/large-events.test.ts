import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { messageIn, openSession, textOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'

const gateway = await startGateway(
  { after },
  {
    config: { sizes: { line: '4MB' } },
    tools: {
      own: { command: fixture('big-result') },
      logs: { command: fixture('sends-logs') },
    },
  },
)

test('large answers at once on HTTP+SSE of a tool of its own process all arrive', async (t) => {
  const sse = await openSseSession(`${gateway.url}/mcp/own/sse`)
  t.after(() => sse.stream.abort())
  const ids = ['a', 'b', 'c', 'd', 'e']
  const params = { name: 'big', arguments: { bytes: 3_000_000 } }
  await Promise.all(ids.map((id) => sse.post({ jsonrpc: '2.0', id, method: 'tools/call', params })))
  for (const id of ids) {
    const answer = await sse.stream.waitFor(`answer ${id}`, ({ data }) => {
      return data.includes(`"id":"${id}"`)
    })
    assert.equal(textOf(messageIn(answer)).length, 3_000_000)
  }
})

test('large events of a tool all arrive on a stream that is read', async () => {
  const session = await openSession(`${gateway.url}/mcp/logs`)
  const stream = await session.listen()
  assert.equal(await session.callText('flood', { n: 20, size: 200_000 }), 'soon')
  await stream.waitFor('the last one', ({ data }) => data.includes('"20 x'))
  assert.ok(Number(await session.callText('pid')) > 0)
  stream.abort()
  await session.end()
})
