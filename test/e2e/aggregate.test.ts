import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { type ClientOptions, connect, type McpClient } from '../harness/clients.ts'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { type Json, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const everything = (...eras: string[]) =>
  Object.fromEntries(eras.map((era) => [era, { command: fixture('everything', era) }]))

const gateway = await startGateway(
  { after },
  {
    tools: {
      ...everything('dual', 'modern', 'legacy'),
      announces: { command: fixture('announces') },
      app: { command: fixture('app') },
      asks: { command: fixture('asks') },
      'asks-too': { command: fixture('asks') },
      cancels: { command: fixture('answers-cancel') },
      progress: { command: fixture('progress') },
    },
  },
)
const url = `${gateway.url}/mcp`
await until('every tool to be known', async () => {
  const { tools } = (await raw(`${gateway.url}/v1/tools`)).json() as { tools: { state: string }[] }
  return tools.every(({ state }) => state === 'ready')
})

for (const library of ['sdk', 'client'] as const) {
  const over = `with the ${library} library`
  const open = (t: TestContext, options: ClientOptions = {}) =>
    connect(t, library, { streamable: url }, options)

  test(`all tools are one server that says so ${over}`, async (t) => {
    const { hello } = await open(t)
    const { capabilities, server, instructions } = hello as Record<string, Json & string>
    assert.equal(Object(server).name, 'toolgate')
    assert.deepEqual(Object(capabilities).resources, { listChanged: true, subscribe: true })
    for (const kind of ['tools', 'prompts'])
      assert.deepEqual(Object(capabilities)[kind], { listChanged: true })
    assert.match(String(instructions), /- announces: A tool under test\.\n- app: /)
  })

  test(`what all tools list is listed, tool by tool, each under its tool's name ${over}`, async (t) => {
    const client = await open(t)
    const functions = await list(client, 'tools/list', 'tools')
    const tools = [...new Set(functions.map(({ name }) => String(name).split('__')[0]))]
    assert.deepEqual(tools, [
      'announces',
      'app',
      'asks',
      'asks-too',
      'cancels',
      'dual',
      'legacy',
      'modern',
      'progress',
    ])
    for (const tool of ['dual', 'modern', 'legacy']) {
      const found = functions.find(({ name }) => name === `${tool}__json_schema_2020_12_tool`)
      assert.equal(Object(found?.inputSchema).$defs.address.$anchor, 'addressDef')
      // A client of this era knows no other answers than objects.
      const array = functions.find(({ name }) => name === `${tool}__test_array_result`)
      assert.equal(Object(array?.outputSchema).type, 'object')
      const prompts = await list(client, 'prompts/list', 'prompts')
      assert.ok(prompts.some(({ name }) => name === `${tool}__test_simple_prompt`))
      const resources = await list(client, 'resources/list', 'resources')
      assert.ok(resources.some(({ uri }) => uri === `test://${tool}__static-text`))
      const templates = await list(client, 'resources/templates/list', 'resourceTemplates')
      const template = `test://${tool}__template/{id}/data`
      assert.ok(templates.some(({ uriTemplate }) => uriTemplate === template))
    }
  })

  for (const tool of ['dual', 'modern', 'legacy']) {
    test(`a ${tool} tool is called, read, completed and subscribed to ${over}`, async (t) => {
      const client = await open(t)
      assert.match(await callText(client, `${tool}__test_simple_text`), /simple text/)
      const link = Object(await call(client, `${tool}__test_embedded_resource`)).content[0]
      assert.equal(link.resource.uri, `test://${tool}__embedded-resource`)
      const prompt = await client.request('prompts/get', {
        name: `${tool}__test_prompt_with_embedded_resource`,
        arguments: { resourceUri: 'test://static-text' },
      })
      const [message] = Object(prompt).messages
      assert.equal(message.content.resource.uri, `test://${tool}__static-text`)

      for (const uri of [`test://${tool}__static-text`, `test://${tool}__template/7/data`]) {
        const { contents } = Object(await client.request('resources/read', { uri }))
        assert.equal(contents[0].uri, uri)
      }
      const complete = async (ref: object, name: string) => {
        const params = { ref, argument: { name, value: '12' } }
        return Object(await client.request('completion/complete', params)).completion.values
      }
      const template = `test://${tool}__template/{id}/data`
      assert.deepEqual(await complete({ type: 'ref/resource', uri: template }, 'id'), [
        '123',
        '124',
      ])
      const named = { type: 'ref/prompt', name: `${tool}__test_prompt_with_arguments` }
      assert.ok(Array.isArray(await complete(named, 'arg1')))

      const uri = `test://${tool}__watched-resource`
      await client.request('resources/subscribe', { uri })
      await callText(client, `${tool}__test_touch_resource`)
      const updated = await client.waitForNotification('notifications/resources/updated')
      assert.equal(Object(updated.params).uri, uri)
      await client.request('resources/unsubscribe', { uri })
    })

    test(`what a ${tool} tool lists anew is listed, for this client alone ${over}`, async (t) => {
      const [client, other] = [await open(t), await open(t)]
      for (const [name, kind, key, entry] of [
        ['tool', 'tools', 'name', `${tool}__extra`],
        ['prompt', 'prompts', 'name', `${tool}__extra`],
        ['resource', 'resources', 'uri', `test://${tool}__extra`],
      ] as const) {
        await callText(client, `${tool}__test_trigger_${name}_change`)
        await client.waitForNotification(`notifications/${kind}/list_changed`)
        const now = await list(client, `${kind}/list`, kind)
        assert.ok(
          now.some((each) => each[key] === entry),
          entry,
        )
        const theirs = await list(other, `${kind}/list`, kind)
        assert.ok(!theirs.some((each) => each[key] === entry), entry)
      }
      assert.equal(await callText(client, `${tool}__extra`), 'extra')
    })
  }

  test(`a tool of each era asks the client for what it needs ${over}`, async (t) => {
    const client = await open(t, {
      capabilities: { elicitation: {}, sampling: {} },
      answers: {
        'elicitation/create': () => ({ action: 'accept', content: { username: 'a', email: 'b' } }),
        'sampling/createMessage': () => ({
          model: 'm',
          role: 'assistant',
          content: { type: 'text', text: 'sampled' },
        }),
      },
    })
    for (const tool of ['dual', 'modern', 'legacy']) {
      assert.match(await callText(client, `${tool}__test_elicitation`), /action=accept/)
      assert.match(await callText(client, `${tool}__test_sampling`), /sampled/)
    }
  })

  test(`two tools that ask at once under one id are each answered ${over}`, async (t) => {
    const waiting: (() => void)[] = []
    const client = await open(t, {
      capabilities: { sampling: {} },
      answers: {
        'sampling/createMessage': async (params) => {
          // Nobody is answered before both have asked.
          await new Promise<void>((go) => {
            if (waiting.push(go) === 2) for (const each of waiting.toReversed()) each()
          })
          return { model: Object(params).systemPrompt, role: 'assistant', content: SAID }
        },
      },
    })
    const ask = async (tool: string) => {
      const params = { messages: [], maxTokens: 1, systemPrompt: tool }
      const told = await callText(client, `${tool}__ask`, {
        method: 'sampling/createMessage',
        params,
      })
      return JSON.parse(told).model
    }
    const told = await Promise.all([ask('asks'), ask('asks-too')])
    assert.deepEqual(told, ['asks', 'asks-too'])
  })

  test(`progress, logs and changes reach the client, each log with its tool ${over}`, async (t) => {
    const client = await open(t)
    await client.request('logging/setLevel', { level: 'debug' })
    let last = 0
    const onprogress = ({ progress }: { progress: number }) => {
      last = progress
    }
    await client.request('tools/call', { name: 'progress__burst', arguments: {} }, { onprogress })
    const heard = client.received.filter(({ method }) => method === 'notifications/progress')
    assert.equal(heard.length, 40)
    assert.ok(last > 0)
    await client.request('resources/subscribe', { uri: 'it://announces__one' })
    await callText(client, 'announces__announce')
    const updated = await client.waitForNotification('notifications/resources/updated')
    assert.deepEqual(updated.params, { uri: 'it://announces__one' })
    const log = await client.waitForNotification('notifications/message')
    assert.deepEqual(log.params, { level: 'info', data: 'hello', logger: 'announces' })
    for (const kind of ['tools', 'prompts', 'resources'])
      await client.waitForNotification(`notifications/${kind}/list_changed`)
  })

  test(`a level that was set before a tool was used is the tool's level ${over}`, async (t) => {
    const client = await open(t)
    await client.request('logging/setLevel', { level: 'error' })
    await callText(client, 'legacy__test_logging_tool')
    await client.waitForNotification('notifications/message')
    await client.request('logging/setLevel', { level: 'debug' })
    await callText(client, 'legacy__test_logging_tool')
    await until('all three levels', () => logs(client).length === 4)
    assert.deepEqual(logs(client), ['error', 'debug', 'info', 'error'])
    const wrong = Object(await client.answer('logging/setLevel', { level: 'loud' }))
    assert.equal(wrong.error.code, -32602)
  })

  test(`a cancelled call is cancelled in its tool ${over}`, async (t) => {
    const client = await open(t)
    const leaving = new AbortController()
    const params = { name: 'cancels__wait', arguments: {} }
    const waiting = client.request('tools/call', params, { signal: leaving.signal })
    await callText(client, 'cancels__pid')
    leaving.abort('enough')
    await assert.rejects(waiting)
    const cancelled = async () => (await callText(client, 'cancels__cancelled')) === '1'
    await until('the tool to hear of it', cancelled)
  })

  test(`an app's page is found by the URI that its function names ${over}`, async (t) => {
    const client = await open(t)
    const uri = 'ui://app__clock/view.html'
    const functions = await list(client, 'tools/list', 'tools')
    const now = functions.find(({ name }) => name === 'app__now')
    assert.deepEqual(now?._meta, { ui: { resourceUri: uri }, 'ui/resourceUri': uri })
    const answer = Object(await call(client, 'app__now'))
    assert.equal(answer._meta.ui.resourceUri, uri)
    const { contents } = Object(await client.request('resources/read', { uri }))
    assert.deepEqual(contents[0].text, '<p>ui://clock/view.html</p>')
    const task = Object(await client.request('tasks/get', { taskId: 'app__7' }))
    assert.equal(task.taskId, 'app__7')
  })

  test(`what is not there is said, with what may have been meant ${over}`, async (t) => {
    const client = await open(t)
    const error = async (method: string, params: object) =>
      Object(await client.answer(method, params)).error
    const unknown = await error('tools/call', { name: 'modern__wher', arguments: {} })
    assert.equal(unknown.code, -32602)
    assert.match(unknown.message, /Did you mean "modern__where"\? Expected tool__function/)
    const bare = await error('tools/call', { name: 'burst', arguments: {} })
    assert.match(bare.message, /Did you mean "progress__burst"\?/)
    assert.equal((await error('prompts/get', { name: 'nobody__x' })).code, -32602)
    assert.equal((await error('resources/read', { uri: 'test://static-text' })).code, -32602)
    assert.equal((await error('tools/list', { cursor: 'x' })).code, -32602)
    assert.equal((await error('nobody/knows', {})).code, -32601)
    const missing = await error('resources/read', { uri: 'test://legacy__missing' })
    assert.ok([-32002, -32602].includes(missing.code), JSON.stringify(missing))
    await client.request('ping')
  })
}

test('HTTP+SSE without a tool stays away, and so does what lies below', async () => {
  for (const path of ['/sse', '/messages', '/mcp/'])
    assert.equal((await raw(`${gateway.url}${path}`)).status, 404, path)
})

const SAID = { type: 'text', text: 'said' }

function call(client: McpClient, name: string, args: object = {}): Promise<unknown> {
  return client.request('tools/call', { name, arguments: args })
}

async function callText(client: McpClient, name: string, args: object = {}): Promise<string> {
  return textOf({ result: await call(client, name, args) })
}

async function list(client: McpClient, method: string, key: string): Promise<readonly Json[]> {
  return Object(await client.request(method))[key]
}

function logs(client: McpClient): unknown[] {
  return client.notifications
    .filter(({ method }) => method === 'notifications/message')
    .map(({ params }) => Object(params).level)
}
