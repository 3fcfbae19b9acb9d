import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'

const gateway = await startGateway(
  { after },
  {
    config: { sessions: { events: 10 } },
    tools: {
      logs: { command: fixture('sends-logs') },
      progress: { command: fixture('progress') },
    },
  },
)

test('the first stream gets what is kept of the events before it', async () => {
  const session = await openSession(`${gateway.url}/mcp/logs`)
  const all = gateway.waitForLog('the end', ({ line }) => line === 'all sent')
  assert.equal(await session.callText('flood', { n: 13, size: 10 }), 'soon')
  await all
  const stream = await session.listen()
  assert.equal(stream.status, 200)
  await stream.waitFor('the last message', ({ data }) => data.includes('"13 x'))
  const heard = stream.events.flatMap(({ data }) => /"data":"(\d+) /.exec(data)?.[1] ?? [])
  assert.ok(heard.length >= 9, `heard ${heard}`)
  stream.abort()
  await session.end()
})

test('resuming after an event that is no longer kept is a bad request, and the session goes on', async () => {
  const session = await openSession(`${gateway.url}/mcp/progress`)
  const params = { name: 'burst', arguments: {}, _meta: { progressToken: 'p' } }
  const stream = await session.stream('tools/call', params, 1)
  await stream.closed
  const first = stream.events.find(({ id }) => id !== undefined)?.id
  const refused = await session.listen(first)
  // 404 would tell the client that its session has ended.
  assert.equal(refused.status, 400)
  assert.equal((await session.request('ping')).error, undefined)
  await session.end()
})
