import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { messageIn, openSession, textOf } from '../harness/session.ts'

const slow = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Counts slowly.',
  mode: 'launcher',
  runtime: inline({
    count: fn({
      description: 'Counts, a step every 50 ms.',
      input: z.object({ to: z.number() }),
      run: async ({ to }, { progress }) => {
        for (let i = 1; i <= to; i++) {
          progress(i, to)
          await new Promise((next) => setTimeout(next, 50))
        }
        return 'counted'
      },
    }),
  }),
})
`

const gateway = await startGateway(
  { after },
  {
    config: { sessions: { events: 30 } },
    tools: {
      slow,
      progress: { command: fixture('progress') },
      announces: { command: fixture('announces') },
    },
  },
)

const counting = (to: number) => ({
  name: 'count',
  arguments: { to },
  _meta: { progressToken: 't' },
})

test('a call whose stream broke goes on, and its rest comes by Last-Event-ID, each once', async () => {
  const session = await openSession(`${gateway.url}/mcp/slow`)
  const broken = await session.stream('tools/call', counting(12), 'c')
  const third = await broken.waitFor('step 3', ({ data }) => data.includes('"progress":3'))
  broken.abort()
  assert.ok(third.id)
  const rest = await session.listen(third.id)
  const answer = await rest.waitFor('the answer', (event) => messageIn(event).id === 'c')
  assert.equal(textOf(messageIn(answer)), 'counted')
  assert.deepEqual(
    rest.events.filter(({ data }) => data.includes('progress":')).map(step),
    [4, 5, 6, 7, 8, 9, 10, 11, 12],
  )
  await rest.closed
  await session.end()
})

test('every event has an id of its own, and the first one comes at once, with a retry', async () => {
  const session = await openSession(`${gateway.url}/mcp/slow`)
  const stream = await session.stream('tools/call', counting(4), 'c')
  const [first] = [await stream.waitFor('the first event', () => true)]
  assert.ok(first.id)
  assert.equal(first.data, '')
  assert.ok(Number(first.retry) > 0)
  await stream.closed
  const ids = stream.events.map(({ id }) => id)
  assert.ok(ids.every((id) => id !== undefined))
  assert.equal(new Set(ids).size, ids.length)
  await session.end()
})

test('a client of an earlier revision gets no priming event', async () => {
  const session = await openSession(`${gateway.url}/mcp/slow`, { protocolVersion: '2025-06-18' })
  const stream = await session.stream('tools/call', counting(2), 'c')
  await stream.closed
  assert.ok(stream.events.every(({ data }) => data !== ''))
  await session.end()
})

test('the GET stream resumes too', async () => {
  const session = await openSession(`${gateway.url}/mcp/announces`)
  const server = await session.listen()
  const primed = await server.waitFor('the first event', () => true)
  server.abort()
  await server.closed
  const calls = [session.stream('tools/call', { name: 'announce', arguments: {} }, 'a')]
  for (const stream of await Promise.all(calls)) await stream.closed
  const resumed = await session.listen(primed.id)
  assert.equal(resumed.status, 200)
  resumed.abort()
  await session.end()
})

test('events that are no longer kept are refused, and those of another session unknown', async () => {
  const session = await openSession(`${gateway.url}/mcp/progress`)
  const other = await openSession(`${gateway.url}/mcp/progress`)
  const params = { name: 'burst', arguments: {}, _meta: { progressToken: 'p' } }
  const stream = await session.stream('tools/call', params, 1)
  await stream.closed
  const first = stream.events.find(({ id }) => id !== undefined)?.id
  assert.ok(first)
  assert.ok((await session.listen(first)).status >= 400, 'older than the 30 that are kept')
  const foreign = await other.listen(first)
  foreign.abort()
  assert.ok(!foreign.events.some(({ data }) => data.includes('progress')))
  const nonsense = await session.listen('nonsense')
  assert.equal(nonsense.status, 400)
  await Promise.all([session.end(), other.end()])
})

function step(event: { data: string }): number {
  return JSON.parse(event.data).params.progress
}
