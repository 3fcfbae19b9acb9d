import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { type ClientOptions, connect, type McpClient } from '../harness/clients.ts'
import { fixture, server } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { messageIn, openSession, textOf } from '../harness/session.ts'
import { openSseSession } from '../harness/sse-session.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    tools: {
      everything: { command: server('everything') },
      asks: { command: fixture('asks') },
      progress: { command: fixture('progress') },
      announces: { command: fixture('announces') },
      cancels: { command: fixture('answers-cancel') },
    },
  },
)

const CAPABILITIES = { sampling: {}, elicitation: {}, roots: { listChanged: true } }
const ANSWERS: NonNullable<ClientOptions['answers']> = {
  'sampling/createMessage': () => ({
    model: 'm',
    role: 'assistant',
    content: { type: 'text', text: 'sampled ü' },
  }),
  'elicitation/create': () => ({ action: 'accept', content: { name: 'Ada' } }),
  'roots/list': () => ({ roots: [{ uri: 'file:///somewhere', name: 'somewhere' }] }),
}

const FORTY = Array.from({ length: 40 }, (_, index) => index + 1)
const WAYS = (['sdk', 'client'] as const).flatMap((library) => [
  { library, wire: 'streamable' as const },
  { library, wire: 'sse' as const },
])

for (const { library, wire } of WAYS) {
  const over = `over ${wire === 'sse' ? 'HTTP+SSE' : 'Streamable HTTP'} with the ${library} library`
  const open = (t: TestContext, tool: string, options: ClientOptions = {}) => {
    const url = `${gateway.url}/mcp/${tool}`
    const target = wire === 'sse' ? { sse: `${url}/sse` } : { streamable: url }
    return connect(t, library, target, options)
  }

  test(`sampling, elicitation and roots reach the client ${over}`, async (t) => {
    const client = await open(t, 'asks', { capabilities: CAPABILITIES, answers: ANSWERS })
    for (const [method, params] of [
      ['sampling/createMessage', { messages: [], maxTokens: 5 }],
      [
        'elicitation/create',
        { message: 'who', requestedSchema: { type: 'object', properties: {} } },
      ],
      ['roots/list', {}],
    ] as const) {
      const told = await callText(client, 'ask', { method, params })
      assert.deepEqual(JSON.parse(told), await ANSWERS[method]?.(params))
    }
    const refused = JSON.parse(await callText(client, 'ask', { method: 'nobody/answers' }))
    assert.equal(refused.error.code, -32601)
  })

  test(`server-everything samples, elicits and reads roots ${over}`, async (t) => {
    const client = await open(t, 'everything', { capabilities: CAPABILITIES, answers: ANSWERS })
    const sampled = await callText(client, 'trigger-sampling-request', {
      prompt: 'p',
      maxTokens: 9,
    })
    assert.match(sampled, /sampled ü/)
    assert.match(await callText(client, 'trigger-elicitation-request'), /User|Ada/)
    assert.match(await callText(client, 'get-roots-list'), /file:\/\/\/somewhere/)
  })

  test(`40 progress notifications in one burst arrive in order before the answer ${over}`, async (t) => {
    const client = await open(t, 'progress')
    const params = { name: 'burst', arguments: {} }
    await client.request('tools/call', params, { onprogress: () => {} })
    const seen = client.received.map(({ params, result }) => result ?? Object(params).progress)
    assert.deepEqual(seen, [...FORTY, { content: [{ type: 'text', text: 'after 40' }] }])
  })

  test(`logs, list changes and resource updates reach the client ${over}`, async (t) => {
    const client = await open(t, 'announces')
    await client.request('logging/setLevel', { level: 'debug' })
    await client.request('resources/subscribe', { uri: 'it://one' })
    await callText(client, 'announce')
    const updated = await client.waitForNotification('notifications/resources/updated')
    assert.deepEqual(updated.params, { uri: 'it://one' })
    assert.deepEqual(
      client.notifications.map(({ method }) => method.slice('notifications/'.length)),
      [
        'message',
        'tools/list_changed',
        'prompts/list_changed',
        'resources/list_changed',
        'resources/updated',
      ],
    )
  })

  test(`a cancelled call is cancelled in the tool ${over}`, async (t) => {
    const client = await open(t, 'cancels')
    const leaving = new AbortController()
    const options = { signal: leaving.signal }
    const waiting = client.request('tools/call', { name: 'wait', arguments: {} }, options)
    setTimeout(() => leaving.abort('enough'), 100)
    await assert.rejects(waiting)
    await until('the tool to hear of it', async () => (await callText(client, 'cancelled')) === '1')
  })
}

test('40 progress notifications and the answer are events of one stream, in order', async () => {
  const session = await openSession(`${gateway.url}/mcp/progress`)
  const params = { name: 'burst', arguments: {}, _meta: { progressToken: 'p' } }
  const stream = await session.stream('tools/call', params, 'the call')
  await stream.closed
  const messages = stream.events.filter(({ data }) => data !== '').map(messageIn)
  assert.equal(messages.length, 41)
  assert.equal(messages.at(-1)?.id, 'the call')
  assert.ok(messages.slice(0, 40).every(({ method }) => method === 'notifications/progress'))
  await session.end()
})

test('a progress token keeps its type, and two calls with tokens of their own do not mix', async () => {
  const session = await openSession(`${gateway.url}/mcp/progress`)
  const tokens = [1, '1', 'x']
  const streams = await Promise.all(
    tokens.map((progressToken, index) =>
      session.stream(
        'tools/call',
        { name: 'burst', arguments: {}, _meta: { progressToken } },
        index,
      ),
    ),
  )
  for (const [index, stream] of streams.entries()) {
    await stream.closed
    const progress = stream.events
      .filter(({ data }) => data.includes('notifications/progress'))
      .map((event) => messageIn(event).params as { progressToken: unknown })
    assert.equal(progress.length, 40)
    assert.ok(progress.every(({ progressToken }) => progressToken === tokens[index]))
  }
  await session.end()
})

test("a server's request comes once, on the open call's stream", async () => {
  const session = await openSession(`${gateway.url}/mcp/asks`, { capabilities: CAPABILITIES })
  const server = await session.listen()
  const params = { name: 'ask', arguments: { method: 'roots/list' } }
  const stream = await session.stream('tools/call', params, 1)
  const asked = await stream.waitFor('the question', ({ data }) => data.includes('roots/list'))
  assert.equal((await session.respond(messageIn(asked).id, { roots: [] })).status, 202)
  const answer = await stream.waitFor('the answer', (event) => messageIn(event).id === 1)
  assert.equal(textOf(messageIn(answer)), '{"roots":[]}')
  assert.ok(!server.events.some(({ data }) => data.includes('roots/list')))
  await session.end()
})

test('what a tool says outside a call comes on the GET stream, and on HTTP+SSE on the stream', async (t) => {
  const session = await openSession(`${gateway.url}/mcp/everything`, {
    capabilities: { roots: {} },
  })
  const server = await session.listen()
  const asked = await server.waitFor('roots/list', ({ data }) => data.includes('roots/list'))
  await session.respond(messageIn(asked).id, { roots: [{ uri: 'file:///r' }] })
  await server.waitFor('the log of it', ({ data }) => data.includes('Roots updated: 1'))
  await session.end()

  const sse = await openSseSession(`${gateway.url}/mcp/announces/sse`)
  t.after(async () => sse.stream.abort())
  await sse.request('tools/call', { name: 'announce', arguments: {} })
  assert.equal(sse.stream.events.filter(({ data }) => data.includes('list_changed')).length, 3)
})

async function callText(client: McpClient, name: string, args: object = {}): Promise<string> {
  return textOf({ result: await client.request('tools/call', { name, arguments: args }) })
}
