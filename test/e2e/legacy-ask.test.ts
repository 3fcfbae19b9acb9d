import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { type ClientOptions, connect, type McpClient } from '../harness/clients.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { errorOf, messageIn, openSession, textOf } from '../harness/session.ts'

// Tools that do not ask by themselves, but return what they ask: the gateway asks for them.
const gateway = await startGateway(
  { after },
  {
    tools: {
      modern: { command: fixture('modern-echo') },
      shared: { command: fixture('modern-echo'), mode: 'daemon' },
      hurried: { command: fixture('modern-echo'), timeout: '1s' },
      inline: `
import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

const form = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }
const messages = [{ role: 'user', content: { type: 'text', text: 'Say hello.' } }]
const asks = (requests) => fn({
  description: 'Asks its caller.',
  input: z.looseObject({}),
  run: async (_args, { ask }) => JSON.stringify(await ask(requests)),
})

export default defineTool({
  description: 'Asks.',
  runtime: inline({
    ask: asks({
      name: {
        method: 'elicitation/create',
        params: { mode: 'form', message: 'What is name 1?', requestedSchema: form },
      },
    }),
    sampling: asks({
      sample: { method: 'sampling/createMessage', params: { messages, maxTokens: 10 } },
    }),
    roots: asks({ roots: { method: 'roots/list' } }),
  }),
})
`,
    },
  },
)

const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} }
const SAMPLE = { model: 'm', role: 'assistant', content: { type: 'text', text: 'hello ü' } }
const ROOTS = { roots: [{ uri: 'file:///somewhere', name: 'somewhere' }] }

const WAYS = [
  { library: 'sdk', wire: 'Streamable HTTP' },
  { library: 'sdk', wire: 'HTTP+SSE' },
  { library: 'client', wire: 'Streamable HTTP' },
] as const

for (const { library, wire } of WAYS) {
  const over = `over ${wire} with the ${library} library`
  const open = (t: TestContext, tool: string, options: ClientOptions) => {
    const url = `${gateway.url}/mcp/${tool}`
    return connect(t, library, wire === 'HTTP+SSE' ? { sse: `${url}/sse` } : { streamable: url }, {
      capabilities: CAPABILITIES,
      ...options,
    })
  }

  for (const tool of ['modern', 'shared', 'inline']) {
    test(`what the ${tool} tool asks reaches the client ${over}`, async (t) => {
      const asked: string[] = []
      const client = await open(t, tool, {
        answers: {
          'elicitation/create': (params) => {
            asked.push(String(Object(params).message))
            return { action: 'accept', content: { name: `Ada ${asked.length}` } }
          },
          'sampling/createMessage': () => SAMPLE,
          'roots/list': () => ROOTS,
        },
      })
      const sampled = JSON.parse(await callText(client, 'sampling'))
      assert.deepEqual(sampled.sample ?? sampled, SAMPLE)
      const roots = JSON.parse(await callText(client, 'roots'))
      assert.deepEqual(Array.isArray(roots.roots) ? roots : roots.roots, ROOTS)
      assert.match(await callText(client, 'ask'), /Ada 1/)
      assert.deepEqual(asked, ['What is name 1?'])
    })
  }

  test(`a tool that asks three times in a row is answered three times ${over}`, async (t) => {
    let asked = 0
    const client = await open(t, 'modern', {
      answers: {
        'elicitation/create': () => ({ action: 'accept', content: { name: `Ada ${++asked}` } }),
      },
    })
    assert.equal(await callText(client, 'ask', { rounds: 3 }), 'Ada 1, Ada 2, Ada 3')
  })

  test(`what a client refuses fails the call, and a form it refuses is cancelled ${over}`, async (t) => {
    const refuse = () => {
      throw Object.assign(new Error('The user said no'), { code: -1 })
    }
    const client = await open(t, 'modern', {
      answers: { 'elicitation/create': refuse, 'sampling/createMessage': refuse },
    })
    assert.equal(await callText(client, 'ask'), 'cancel')
    const { error } = Object(await client.answer('tools/call', { name: 'sampling', arguments: {} }))
    assert.match(error.message, /refused: .*The user said no/)
  })
}

test('a client is not asked for what it did not declare', async () => {
  const session = await openSession(`${gateway.url}/mcp/modern`)
  const params = { name: 'ask', arguments: { anyway: true } }
  // Were it asked, the call would wait for its answer.
  assert.equal(errorOf(await session.request('tools/call', params)).code, -32021)
  await session.end()
})

test('the time in which a client is asked is not that of the call', async () => {
  const session = await openSession(`${gateway.url}/mcp/hurried`, { capabilities: CAPABILITIES })
  const stream = await session.stream('tools/call', { name: 'sampling', arguments: {} }, 1)
  const isQuestion = ({ data }: { data: string }) => data.includes('sampling/createMessage')
  const question = messageIn(await stream.waitFor('the question', isQuestion))
  // Twice what the call may take, as a user's answer does.
  await new Promise((answered) => setTimeout(answered, 2000))
  await session.respond(question.id, SAMPLE)
  const answer = await stream.waitFor('the answer', (event) => messageIn(event).id === 1)
  assert.deepEqual(JSON.parse(textOf(messageIn(answer))), SAMPLE)
  await session.end()
})

test('a cancelled call takes its question back', async () => {
  const session = await openSession(`${gateway.url}/mcp/modern`, { capabilities: CAPABILITIES })
  const stream = await session.stream('tools/call', { name: 'sampling', arguments: {} }, 1)
  const isQuestion = ({ data }: { data: string }) => data.includes('sampling/createMessage')
  const { id } = messageIn(await stream.waitFor('the question', isQuestion))
  await session.notify('notifications/cancelled', { requestId: 1 })
  await stream.closed
  const last = messageIn(stream.events.at(-1) ?? assert.fail('no events'))
  assert.equal(last.method, 'notifications/cancelled')
  assert.deepEqual(last.params, { requestId: id })
  assert.equal((await session.respond(id, SAMPLE)).status, 202)
  assert.equal(await session.callText('echo', { still: 'here' }), '{"still":"here"}')
  await session.end()
})

test('a question is read again from Last-Event-ID, and its answer goes on', async () => {
  const session = await openSession(`${gateway.url}/mcp/modern`, { capabilities: CAPABILITIES })
  const stream = await session.stream('tools/call', { name: 'sampling', arguments: {} }, 1)
  const isQuestion = ({ data }: { data: string }) => data.includes('sampling/createMessage')
  const first = await stream.waitFor('the first event', ({ id }) => id !== undefined)
  await stream.waitFor('the question', isQuestion)
  stream.abort()
  await stream.closed
  const resumed = await session.listen(first.id)
  const question = messageIn(await resumed.waitFor('the question', isQuestion))
  await session.respond(question.id, SAMPLE)
  const answer = await resumed.waitFor('the answer', (event) => messageIn(event).id === 1)
  assert.deepEqual(JSON.parse(textOf(messageIn(answer))), SAMPLE)
  await session.end()
})

test('a broken stream cancels nothing on a modern tool, and an explicit cancel does', async () => {
  const session = await openSession(`${gateway.url}/mcp/modern`)
  const params = { name: 'wait', arguments: {}, _meta: { progressToken: 'w' } }
  const stream = await session.stream('tools/call', params, 'waiting')
  const isProgress = ({ data }: { data: string }) => data.includes('notifications/progress')
  const first = await stream.waitFor('the first event', ({ id }) => id !== undefined)
  await stream.waitFor('progress', isProgress)
  stream.abort()
  await stream.closed
  const resumed = await session.listen(first.id)
  const { params: progress } = messageIn(await resumed.waitFor('the progress again', isProgress))
  assert.equal(Object(progress).progressToken, 'w')
  await session.notify('notifications/cancelled', { requestId: 'waiting' })
  await gateway.waitForLog('the cancel', ({ line, tool }) => {
    return line === 'cancelled' && tool === 'modern'
  })
  await resumed.closed
  assert.ok(!resumed.events.some((event) => messageIn(event).id === 'waiting'))
  await session.end()
})

async function callText(client: McpClient, name: string, args: object = {}): Promise<string> {
  return textOf({ result: await client.request('tools/call', { name, arguments: args }) })
}
