import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { memoryOf } from '../harness/processes.ts'
import { openStream, raw } from '../harness/raw.ts'
import { messageIn, openSession, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const steps = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Tells when it wrote.',
  runtime: inline({
    steps: fn({
      description: 'Three steps, 200 ms apart.',
      input: z.object({}),
      output: z.object({ at: z.number() }),
      run: async (_, { progress }) => {
        for (let i = 1; i <= 3; i++) {
          progress(i, 3, String(Date.now()))
          await new Promise((next) => setTimeout(next, 200))
        }
        return { at: Date.now() }
      },
    }),
    fails: fn({
      description: 'Fails after its first step.',
      input: z.object({}),
      run: async (_, { progress }) => {
        progress(1)
        throw new Error('broke off')
      },
    }),
  }),
})
`
const gateway = await startGateway(
  { after },
  {
    config: { limits: { calls: 100_000, per: '1s' } },
    tools: { steps, big: { command: fixture('big-result') } },
  },
)

test('an event arrives within 50 ms of being written', async () => {
  const session = await openSession(`${gateway.url}/mcp/steps`)
  const params = { name: 'steps', arguments: {}, _meta: { progressToken: 1 } }
  await (await session.stream('tools/call', params, 0)).closed
  const delays: number[] = []
  const stream = await session.stream('tools/call', params, 1)
  for (const step of [1, 2, 3]) {
    const event = await stream.waitFor(`step ${step}`, ({ data }) =>
      data.includes(`"progress":${step}`),
    )
    delays.push(Date.now() - Number(Object(messageIn(event).params).message))
  }
  assert.ok(Math.min(...delays) < 50, `delays of ${delays} ms`)
  await session.end()
})

test('REST streams progress, then the result', async () => {
  const url = `${gateway.url}/v1/tools/steps/steps`
  const headers = { accept: 'text/event-stream' }
  const reply = await raw(url, { method: 'POST', body: {}, headers })
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['x-accel-buffering'], 'no')
  assert.equal(reply.events.filter(({ event }) => event === 'progress').length, 3)
  assert.equal(reply.events.at(-1)?.event, 'result')
  assert.ok(JSON.parse(reply.events.at(-1)?.data ?? '').at)
})

test('after its first event a stream that fails ends with one error event', async () => {
  const url = `${gateway.url}/v1/tools/steps/fails`
  const headers = { accept: 'text/event-stream' }
  const reply = await raw(url, { method: 'POST', body: {}, headers })
  const errors = reply.events.filter(({ event }) => event === 'error')
  assert.equal(errors.length, 1)
  assert.match(errors[0]?.data ?? '', /broke off/)
  const unknown = await raw(`${gateway.url}/v1/tools/steps/unknown`, {
    method: 'POST',
    body: {},
    headers,
  })
  assert.equal(unknown.status, 404)
})

test('a result of 8 MB arrives whole', async () => {
  const session = await openSession(`${gateway.url}/mcp/big`)
  assert.equal((await session.callText('big', { bytes: 8 << 20 })).length, 8 << 20)
  await session.end()
})

test('a client that reads nothing makes the tool wait, and nothing is buffered without bound', async () => {
  const session = await openSession(`${gateway.url}/mcp/big`)
  const before = memoryOf(gateway.pid)
  const body = (id: number) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'big', arguments: { bytes: 8 << 20 } },
  })
  const streams = await Promise.all(
    Array.from({ length: 20 }, async (_, id) => {
      const stream = await openStream(session.url, {
        method: 'POST',
        headers: session.headers,
        body: body(id),
      })
      stream.pause()
      return stream
    }),
  )
  const grown = (memoryOf(gateway.pid) - before) / (1 << 20)
  assert.ok(grown < 160, `${Math.round(grown)} MB more`)
  for (const stream of streams) stream.resume()
  for (const [id, stream] of streams.entries()) {
    const text = await stream.text()
    const message = text.startsWith('{')
      ? JSON.parse(text)
      : messageIn(await stream.waitFor('it', ({ data }) => data !== ''))
    assert.equal(message.id, id)
    assert.equal(textOf(message).length, 8 << 20)
  }
  await session.end()
  await until('the process to be gone', () => gateway.processes().length === 0, 8000)
})
