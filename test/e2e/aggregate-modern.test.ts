import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { z } from 'zod'
import { META } from '../../src/protocol/meta.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openStream, type Reply, raw } from '../harness/raw.ts'
import { ACCEPT, errorOf, type Json, messageIn, resultOf, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const EDITED = { command: fixture('modern-echo'), mode: 'daemon' }
const gateway = await startGateway(
  { after },
  {
    tools: {
      dual: { command: fixture('everything', 'dual') },
      modern: { command: fixture('everything', 'modern') },
      legacy: { command: fixture('everything', 'legacy') },
      written: { command: fixture('modern-echo'), mode: 'daemon' },
      shared: { command: fixture('changes-while-listed'), mode: 'daemon' },
      edited: EDITED,
      app: { command: fixture('app') },
    },
  },
)
const url = `${gateway.url}/mcp`
await until('every tool to be known', async () => {
  const { tools } = (await raw(`${gateway.url}/v1/tools`)).json() as { tools: { state: string }[] }
  return tools.every(({ state }) => state === 'ready')
})
const ERAS = ['dual', 'modern', 'legacy']

test('all tools are one server of this era', async (t) => {
  const client = await connect(t)
  assert.equal(client.getServerVersion()?.name, 'toolgate')
  assert.match(String(client.getInstructions()), /- written: A tool under test\./)
  const { resources, extensions } = Object(client.getServerCapabilities())
  assert.deepEqual(resources, { listChanged: true, subscribe: true })
  assert.deepEqual(await capabilities('extensions'), extensions)
  const result = resultOf((await post('server/discover')).json())
  assert.equal(result.cacheScope, 'private')
  assert.equal(result.ttlMs, 0)
})

test('lists are whole, and only for who asked', async (t) => {
  const client = await connect(t)
  const { tools } = await client.listTools()
  for (const tool of ERAS) {
    const array = tools.find(({ name }) => name === `${tool}__test_array_result`)
    // The two eras differ in what a function may answer, and so do the eras of the tools.
    assert.equal(array?.outputSchema?.type, tool === 'legacy' ? 'object' : 'array', tool)
  }
  assert.ok(tools.some(({ name }) => name === 'app__now'))
  const { prompts } = await client.listPrompts()
  assert.ok(prompts.some(({ name }) => name === 'written__greet'))
  const { resources } = await client.listResources()
  assert.ok(resources.some(({ uri }) => uri === 'ui://app__clock/view.html'))
  const { resourceTemplates } = await client.listResourceTemplates()
  assert.ok(resourceTemplates.some((each) => each.uriTemplate === 'test://written__note/{name}'))
  const result = resultOf((await post('resources/list')).json())
  const { resultType, ttlMs, cacheScope, _meta } = result
  assert.deepEqual([resultType, ttlMs, cacheScope], ['complete', 0, 'private'])
  assert.equal(Object(_meta)[META.serverInfo].name, 'toolgate')
})

for (const tool of ERAS) {
  test(`a ${tool} tool is called, read and completed`, async (t) => {
    const client = await connect(t)
    const answer = await client.callTool({ name: `${tool}__test_embedded_resource`, arguments: {} })
    const [content] = answer.content as unknown as { resource: { uri: string } }[]
    assert.equal(content?.resource.uri, `test://${tool}__embedded-resource`)
    const prompt = await client.getPrompt({ name: `${tool}__test_simple_prompt` })
    assert.equal(prompt.messages.length, 1)
    for (const uri of [`test://${tool}__static-text`, `test://${tool}__template/7/data`]) {
      const { contents } = await client.readResource({ uri })
      assert.equal(contents[0]?.uri, uri)
    }
    const uri = `test://${tool}__template/{id}/data`
    const ref = { type: 'ref/resource' as const, uri }
    const { completion } = await client.complete({ ref, argument: { name: 'id', value: '12' } })
    assert.deepEqual(completion.values, ['123', '124'])
  })

  test(`a ${tool} tool asks in rounds, and gets its own state back`, async (t) => {
    const client = await connect(t)
    const { content } = await client.callTool({
      name: `${tool}__test_input_required_result_multi_round`,
      arguments: {},
    })
    assert.match(JSON.stringify(content), /ada: green/)
    const asked = await client.readResource({ uri: `test://${tool}__input-required` })
    assert.match(JSON.stringify(asked.contents), /Read by ada/)
  })
}

test('a state is of its request alone, and of the version that gave it', async () => {
  const params = { name: 'written__ask', arguments: { rounds: 2 } }
  const first = resultOf((await call(params)).json())
  assert.equal(first.resultType, 'input_required')
  const inputResponses = { name: { action: 'accept', content: { name: 'ada' } } }
  const { requestState } = first
  const second = resultOf((await call({ ...params, requestState, inputResponses })).json())
  const last = { ...params, requestState: second.requestState, inputResponses }
  assert.equal(textOf((await call(last)).json()), 'ada, ada')
  for (const wrong of [
    { ...last, arguments: { rounds: 3 } },
    { ...last, name: 'dual__test_input_required_result_multi_round' },
    { ...last, requestState: `${second.requestState}x` },
  ])
    assert.equal(errorOf((await call(wrong)).json()).code, -32602)
})

test('headers mirror what the client calls things here', async () => {
  const params = { name: 'dual__test_x_mcp_header', arguments: { region: 'eu', priority: 7 } }
  const headers = { 'mcp-param-region': 'eu', 'mcp-param-priority': '7' }
  assert.equal((await call(params, headers)).status, 200)
  for (const wrong of [
    {},
    { ...headers, 'mcp-param-region': 'us' },
    { ...headers, 'mcp-name': 'test_x_mcp_header' },
  ]) {
    const reply = await call(params, wrong)
    assert.equal(reply.status, 400)
    assert.equal(errorOf(reply.json()).code, -32020)
  }
})

test('what is not there is said, with what may have been meant', async () => {
  const unknown = errorOf((await call({ name: 'written__ech', arguments: {} })).json())
  assert.equal(unknown.code, -32602)
  assert.match(unknown.message, /Did you mean "written__echo"\? Expected tool__function/)
  const nowhere = await post(
    'resources/read',
    { uri: 'test://note' },
    { 'mcp-name': 'test://note' },
  )
  assert.equal(errorOf(nowhere.json()).code, -32602)
  for (const method of ['nobody/knows', 'ping', 'initialize']) {
    const reply = await post(method)
    assert.equal(reply.status, 404, method)
    assert.equal(errorOf(reply.json()).code, -32601)
  }
})

test('a task is found again by the id that its call answered', async () => {
  const task = resultOf((await call({ name: 'written__task', arguments: {} })).json())
  assert.equal(task.resultType, 'task')
  assert.equal(task.taskId, 'written__task-1')
  const reply = await post('tasks/get', { taskId: 'app__9' }, { 'mcp-name': 'app__9' })
  assert.equal(resultOf(reply.json()).taskId, 'app__9')
})

test('progress and logs come on the stream of their call', async () => {
  const _meta = { progressToken: 'p', [META.logLevel]: 'info' }
  const progress = await call({ name: 'modern__test_tool_with_progress', arguments: {}, _meta })
  const tokens = progress.events
    .map(messageIn)
    .flatMap(({ params }) => Object(params).progressToken)
  assert.deepEqual(tokens.filter(Boolean), ['p', 'p', 'p'])
  const logs = await call({ name: 'modern__test_tool_with_logging', arguments: {}, _meta })
  const loggers = logs.events
    .map(messageIn)
    .filter(({ method }) => method?.toString().endsWith('message'))
  assert.equal(loggers.length, 3)
  assert.ok(loggers.every(({ params }) => Object(params).logger === 'modern'))
})

test('a listen is told of changed lists and of the resources it named, as they are named here', async (t) => {
  const stream = await listen(t, {
    toolsListChanged: true,
    resourceSubscriptions: ['test://written__note', 'test://nowhere__x', 'test://note'],
    unheard: true,
  })
  const acknowledged = await stream.waitFor('the acknowledgement', () => true)
  assert.deepEqual(messageIn(acknowledged), {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: {
      notifications: { toolsListChanged: true, resourceSubscriptions: ['test://written__note'] },
      _meta: { [META.subscriptionId]: 'listen' },
    },
  })
  await call({ name: 'written__touch', arguments: {} })
  const updated = await stream.waitFor('the update', ({ data }) => data.includes('updated'))
  assert.deepEqual(messageIn(updated).params, {
    uri: 'test://written__note',
    _meta: { [META.subscriptionId]: 'listen' },
  })
  await call({ name: 'shared__grow', arguments: {} })
  const changed = await stream.waitFor('the change', ({ data }) => data.includes('list_changed'))
  assert.equal(messageIn(changed).method, 'notifications/tools/list_changed')
  assert.equal(Object(messageIn(changed).params)._meta[META.subscriptionId], 'listen')
  await until('the new function to be listed', async () =>
    (await post('tools/list')).text.includes('shared__third'),
  )
})

test('a listen goes on when the tool ends its part of it', async (t) => {
  const stream = await listen(t, { resourceSubscriptions: ['test://written__note'] })
  await stream.waitFor('the acknowledgement', () => true)
  const listening = async () => {
    const granted = textOf((await call({ name: 'written__listening', arguments: {} })).json())
    return granted.includes('resourceSubscriptions')
  }
  await call({ name: 'written__end_listens', arguments: {} })
  await until('the tool to be listened to again', listening)
  await call({ name: 'written__touch', arguments: {} })
  await stream.waitFor('the update', ({ data }) => data.includes('updated'))
  stream.abort()
  await until('the tool to be left alone', async () => !(await listening()))
})

test('a listen goes on with the new version of a tool', async (t) => {
  const stream = await listen(t, { resourceSubscriptions: ['test://edited__note'] })
  await stream.waitFor('the acknowledgement', () => true)
  const version = async () => (await raw(`${gateway.url}/v1/tools/edited`)).json().version
  const before = await version()
  gateway.tools.write('edited', { ...EDITED, description: 'Another text.' })
  await until('the new version', async () => (await version()) !== before)
  await until('an update of it', async () => {
    await call({ name: 'edited__touch', arguments: {} })
    return stream.events.some(({ data }) => data.includes('updated'))
  })
})

async function connect(t: TestContext): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    {
      capabilities: { elicitation: {}, sampling: {} },
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    },
  )
  client.setRequestHandler('elicitation/create', () => ({
    action: 'accept' as const,
    content: { name: 'ada', color: 'green' },
  }))
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  t.after(() => client.close())
  return client
}

/** What the gateway declares, as it is on the wire. */
async function capabilities(of: string): Promise<unknown> {
  const { capabilities: all } = resultOf((await post('server/discover')).json())
  return z.looseObject({}).parse(all)[of]
}

function envelope(method: string, params: Json, id: string | number = 1): Json {
  const _meta = {
    [META.protocolVersion]: '2026-07-28',
    [META.clientCapabilities]: { elicitation: {} },
    ...Object(params._meta),
  }
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta } }
}

function headersOf(method: string): Record<string, string> {
  return { accept: ACCEPT, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method }
}

function post(method: string, params: Json = {}, headers: object = {}): Promise<Reply> {
  return raw(url, {
    method: 'POST',
    headers: { ...headersOf(method), ...headers },
    body: envelope(method, params),
  })
}

function call(params: Json, headers: object = {}): Promise<Reply> {
  return post('tools/call', params, { 'mcp-name': String(params.name), ...headers })
}

async function listen(t: TestContext, notifications: Json) {
  const method = 'subscriptions/listen'
  const stream = await openStream(url, {
    method: 'POST',
    headers: headersOf(method),
    body: envelope(method, { notifications }, 'listen'),
  })
  t.after(() => stream.abort())
  return stream
}
