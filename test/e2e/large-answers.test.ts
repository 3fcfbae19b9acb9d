import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { messageIn, textOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'

const gateway = await startGateway(
  { after },
  {
    config: { sizes: { line: '4MB' } },
    tools: {
      shared: { command: fixture('big-result'), mode: 'daemon' },
    },
  },
)

test('large answers at once on HTTP+SSE of a shared tool all arrive', async (t) => {
  const sse = await openSseSession(`${gateway.url}/mcp/shared/sse`)
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
