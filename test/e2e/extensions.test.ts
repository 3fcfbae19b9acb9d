import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connect } from '../harness/clients.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern } from '../harness/modern.ts'
import { errorOf, type Json, messageIn, openSession, resultOf, textOf } from '../harness/session.ts'
import { allLearned } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const RELATED = 'io.modelcontextprotocol/related-task'
const MARK = { 'com.example/mark': 1 }

const gateway = await startGateway(
  { after },
  {
    tools: {
      older: { command: fixture('extends') },
      newer: { command: fixture('tasks') },
      app: { command: fixture('app') },
    },
  },
)
await allLearned(gateway)
const at = (path: string) => `${gateway.url}${path}`

for (const [path, prefix] of [
  ['/mcp/older', ''],
  ['/mcp', 'older__'],
] as const) {
  test(`on ${path} a legacy session says and hears what only its tool knows`, async () => {
    const capabilities = { 'com.example/own': {}, experimental: { 'com.example/tries': {} } }
    const session = await openSession(at(path), { capabilities })
    const offered = Object(resultOf(session.opened.json()).capabilities)
    assert.deepEqual(offered.extensions['com.example/echo'], { loudly: true })
    assert.deepEqual(offered.experimental, { 'com.example/tries': {} })

    // What it is about says whose it is, where all tools are one.
    const uri = prefix === '' ? 'it://one' : 'it://older__one'
    const params = { uri, n: 1, _meta: MARK }
    const echoed = resultOf(await session.request('com.example/echo', params))
    const { traceparent, ...meta } = Object(echoed._meta)
    assert.ok(traceparent)
    assert.deepEqual(meta, MARK)
    assert.deepEqual({ ...echoed, _meta: MARK }, { ...params, uri: 'it://one', shouted: true })

    const listening = await session.listen()
    await session.notify('notifications/com.example/ping', { n: 2, _meta: MARK })
    const pong = await listening.waitFor('the answer', ({ data }) => data.includes('pong'))
    const { method, params: told } = messageIn(pong)
    assert.equal(method, 'notifications/com.example/pong')
    assert.deepEqual(told, { n: 2, _meta: MARK })

    const stream = await session.stream('tools/call', {
      name: `${prefix}ask`,
      arguments: { n: 3, _meta: MARK },
    })
    const asked = await stream.waitFor('the question', ({ data }) =>
      data.includes('com.example/ask'),
    )
    const question = messageIn(asked)
    assert.deepEqual(question.params, { n: 3, _meta: MARK })
    await session.respond(question.id, { told: 4, _meta: MARK })
    await stream.closed
    const answer = messageIn(stream.events.at(-1) ?? assert.fail('no answer'))
    assert.deepEqual(JSON.parse(textOf(answer)), { told: 4, _meta: MARK })
    listening.abort()
    await session.end()
  })

  test(`on ${path} what is about a task says so in the words of whoever reads it`, async () => {
    const session = await openSession(at(path))
    const { task } = resultOf(await session.request('tools/call', { name: `${prefix}start` }))
    const { taskId } = Object(task)
    assert.equal(taskId, `${prefix}task-1`)
    const about = { name: `${prefix}about`, _meta: { [RELATED]: { taskId }, ...MARK } }
    const answer = resultOf(await session.request('tools/call', about))
    assert.match(JSON.stringify(answer.content), /{\\"taskId\\":\\"task-1\\"}/)
    assert.deepEqual(answer._meta, { [RELATED]: { taskId }, ...MARK })
    const stream = await session.stream('tools/call', { name: `${prefix}ask`, arguments: {} })
    const asked = await stream.waitFor('the question', ({ data }) =>
      data.includes('com.example/ask'),
    )
    await session.respond(messageIn(asked).id, { _meta: { [RELATED]: { taskId }, ...MARK } })
    await stream.closed
    const told = JSON.parse(textOf(messageIn(stream.events.at(-1) ?? assert.fail())))
    assert.deepEqual(told._meta, { [RELATED]: { taskId: 'task-1' }, ...MARK })
    await session.end()
  })
}

for (const [path, uri] of [
  ['/mcp/newer', 'test://report'],
  ['/mcp', 'test://newer__report'],
] as const)
  test(`on ${path} a modern client calls a method that only its tool knows`, async () => {
    const { capabilities } = resultOf((await modern(at(path), 'server/discover')).json())
    const { extensions, experimental } = Object(capabilities)
    assert.deepEqual(extensions['com.example/echo'], { loudly: true })
    assert.deepEqual(experimental, { 'com.example/tries': {} })
    const params = { n: 1, 'com.example/more': [uri] }
    const reply = await modern(at(path), 'com.example/echo', { uri, ...params }, { meta: MARK })
    const { meta, _meta, ...answer } = resultOf(reply.json())
    const own = { uri: 'test://report', ...params }
    assert.deepEqual(answer, { resultType: 'complete', ...own, shouted: true })
    assert.equal(Object(meta)['com.example/mark'], 1)
    assert.equal(Object(_meta)['com.example/mark'], 1)
  })

test('where all tools are one, a method that is about none of them is not there', async () => {
  const session = await openSession(at('/mcp'))
  for (const params of [{}, { uri: 'it://one' }, { name: 'older__nobody' }, { taskId: 7 }]) {
    assert.equal(errorOf(await session.request('com.example/echo', params)).code, -32601)
    const reply = await modern(at('/mcp'), 'com.example/echo', params)
    assert.equal(reply.status, 404)
    assert.equal(errorOf(reply.json()).code, -32601)
  }
  await session.end()
})

const UI = 'io.modelcontextprotocol/ui'
const VIEW = 'ui://app__clock/view.html'

for (const library of ['sdk', 'client'] as const)
  test(`an app's page is listed, read and shown with its answers, over the ${library} library`, async (t) => {
    const client = await connect(t, library, { streamable: at('/mcp') })
    assert.deepEqual(Object(client.hello).capabilities.extensions[UI], {})
    const { tools } = Object(await client.request('tools/list'))
    const now = tools.find(({ name }: Json) => name === 'app__now')
    assert.equal(now._meta.ui.resourceUri, VIEW)
    const { resources } = Object(await client.request('resources/list'))
    assert.ok(resources.some(({ uri }: Json) => uri === VIEW))
    const { contents } = Object(await client.request('resources/read', { uri: VIEW }))
    assert.equal(contents[0].uri, VIEW)
    assert.equal(contents[0].mimeType, 'text/html;profile=mcp-app')
    // The page itself knows no names but its tool's own.
    for (const name of ['app__now', 'now']) {
      const answer = Object(await client.request('tools/call', { name, arguments: {} }))
      assert.equal(answer.content[0].text, '12:00')
      assert.equal(answer._meta.ui.resourceUri, VIEW)
    }
  })

test('an app passes through for a modern client, with all its names', async () => {
  const { capabilities } = resultOf((await modern(at('/mcp'), 'server/discover')).json())
  assert.deepEqual(Object(capabilities).extensions[UI], {})
  const read = resultOf((await modern(at('/mcp'), 'resources/read', { uri: VIEW })).json())
  assert.equal(Object(read.contents)[0].uri, VIEW)
  for (const name of ['app__now', 'now']) {
    const reply = await modern(at('/mcp'), 'tools/call', { name, arguments: {} })
    const answer = resultOf(reply.json())
    assert.equal(Object(answer._meta).ui.resourceUri, VIEW)
  }
})

test('what all tools can do is said as soon as it is known, to a client that comes first', async (t) => {
  const fresh = await startGateway(t, { tools: { app: { command: fixture('app') } } })
  const [session, reply] = await Promise.all([
    openSession(`${fresh.url}/mcp`),
    modern(`${fresh.url}/mcp`, 'server/discover'),
  ])
  for (const hello of [session.opened, reply])
    assert.deepEqual(Object(resultOf(hello.json()).capabilities).extensions[UI], {})
  await session.end()
  await until('no process to be left', () => fresh.processes().length === 0)
})
