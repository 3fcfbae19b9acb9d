import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { errorOf, messageIn, openSession, textOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'

const gateway = await startGateway(
  { after },
  { tools: { counts: { command: fixture('speaks-2025-03-26') } } },
)
const url = `${gateway.url}/mcp/counts`
const COUNT = { name: 'count', arguments: {} }
const INITIALIZE = {
  protocolVersion: '2025-03-26',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
}
const request = (id: string, method: string, params: object) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
const open = () => openSession(url, { protocolVersion: '2025-03-26' })

test('an initialize in a batch is refused and never reaches the tool', async () => {
  const session = await open()
  const batch = [request('i', 'initialize', INITIALIZE), request('p', 'ping', {})]
  const { text } = await session.post(batch)
  assert.match(text, /-32600/)
  assert.doesNotMatch(text, /protocolVersion/)
  assert.equal(await session.callText('count'), 'called 1, initialized 1')
  await session.end()
})

test('a batch of one is answered as a batch', async () => {
  const session = await open()
  const reply = await session.post([request('c', 'tools/call', COUNT)])
  assert.match(String(reply.headers['content-type']), /^text\/event-stream/)
  const answers = reply.events.filter(({ data }) => data !== '').map(messageIn)
  assert.deepEqual(
    answers.map(({ id }) => id),
    ['c'],
  )
  assert.equal(textOf(answers[0] ?? {}), 'called 1, initialized 1')
  await session.end()
})

test('a second initialize is refused, on HTTP+SSE too', async (t) => {
  const session = await open()
  assert.equal(errorOf(await session.request('initialize', INITIALIZE)).code, -32600)
  assert.equal(await session.callText('count'), 'called 1, initialized 1')
  await session.end()

  const sse = await openSseSession(`${url}/sse`)
  t.after(() => sse.stream.abort())
  const { text } = await sse.post(request('again', 'initialize', INITIALIZE))
  if (!text.includes('-32600'))
    await sse.stream.waitFor('the refusal', ({ data }) => data.includes('-32600'))
  const answer = await sse.request('tools/call', COUNT)
  assert.equal(textOf(answer), 'called 1, initialized 1')
})
