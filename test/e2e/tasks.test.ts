import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern, modernStream } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import { errorOf, type Json, messageIn, openSession, resultOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const TASKS = 'io.modelcontextprotocol/tasks'
const RELATED = 'io.modelcontextprotocol/related-task'
const LISTEN = 'subscriptions/listen'

const hash = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`
const bearer = (who: string) => ({ authorization: `Bearer ${who}` })
const gateway = await startGateway(
  { after },
  {
    config: { keys: ['ada', 'bob'].map((id) => ({ id, hash: hash(id) })) },
    tools: {
      own: { command: fixture('tasks') },
      shared: { command: fixture('tasks'), mode: 'daemon' },
      older: { command: fixture('extends'), mode: 'daemon' },
      'older-own': { command: fixture('extends') },
    },
  },
)
await until('the tools to be known', async () => {
  const { tools } = (await raw(`${gateway.url}/v1/tools`, { headers: bearer('ada') })).json()
  return (tools as { state: string }[]).every(({ state }) => state === 'ready')
})

/** A tool's own endpoint, and that of all tools: where, and what its names begin with. */
const PLACES = [
  ['/mcp/shared', ''],
  ['/mcp', 'shared__'],
] as const

function ask(who: string, path: string, method: string, params: Json, capabilities = DECLARED) {
  const { taskId } = params
  const name = typeof taskId === 'string' ? { 'mcp-name': taskId } : {}
  const options = { capabilities, headers: { ...bearer(who), ...name } }
  return modern(`${gateway.url}${path}`, method, params, options)
}

const DECLARED: Json = { extensions: { [TASKS]: {} } }

async function start(who: string, path: string, name: string, args: Json = {}): Promise<string> {
  const answer = resultOf((await ask(who, path, 'tools/call', { name, arguments: args })).json())
  assert.equal(answer.resultType, 'task')
  return String(answer.taskId)
}

for (const [path, prefix] of PLACES) {
  test(`on ${path} a task is found, changed and ended by whoever it was given to alone`, async () => {
    const taskId = await start('ada', path, `${prefix}confirm_delete`)
    const get = async (who: string, id = taskId) =>
      (await ask(who, path, 'tasks/get', { taskId: id })).json()
    const mine = resultOf(await get('ada'))
    assert.equal(mine.taskId, taskId)
    assert.equal(mine.status, 'input_required')
    const nobody = errorOf(await get('bob', `${prefix}task-999.${'x'.repeat(22)}`))
    assert.equal(nobody.code, -32602)
    const inputResponses = { confirm: { action: 'accept', content: {} } }
    for (const [method, more] of [
      ['tasks/get', {}],
      ['tasks/update', { inputResponses }],
      ['tasks/cancel', {}],
    ] as const) {
      const stolen = errorOf((await ask('bob', path, method, { taskId, ...more })).json())
      assert.deepEqual(stolen, nobody, method)
    }
    // Neither the tool's own id, nor one of his own with her number.
    const [, own = '', signature = ''] = /(task-\d+)\.(.+)$/.exec(taskId) ?? []
    const his = await start('bob', path, `${prefix}confirm_delete`)
    for (const id of [own, `${own}.${signature.slice(0, -1)}`, `${own}.${his.split('.')[1]}`])
      assert.deepEqual(errorOf(await get('bob', `${prefix}${id}`)), nobody, id)
    assert.equal(errorOf(await get('ada', `${prefix}${own}`)).code, -32602)
    assert.equal(resultOf(await get('ada')).status, 'input_required')
    assert.ok(
      'result' in (await ask('ada', path, 'tasks/update', { taskId, inputResponses })).json(),
    )
    assert.equal(resultOf(await get('ada')).status, 'completed')
  })

  test(`on ${path} a listen tells of the tasks that its client was given, and of no others`, async (t) => {
    const [mine, hers] = [
      await start('bob', path, `${prefix}confirm_delete`),
      await start('ada', path, `${prefix}confirm_delete`),
    ]
    const stream = await listen(t, 'bob', path, { taskIds: [mine, hers, 'task-1'] })
    const first = messageIn(await stream.waitFor('the acknowledgement', () => true))
    assert.deepEqual(Object(first.params).notifications, { taskIds: [mine] })
    for (const [who, taskId] of [
      ['ada', hers],
      ['bob', mine],
    ] as const)
      resultOf((await ask(who, path, 'tasks/cancel', { taskId })).json())
    const told = await stream.waitFor('its end', ({ data }) => data.includes('cancelled'))
    const { params } = messageIn(told)
    assert.equal(Object(params).status, 'cancelled')
    assert.equal(Object(params).taskId, mine)
    assert.equal(Object(params)._meta['io.modelcontextprotocol/subscriptionId'], 'listen')
    assert.equal(stream.events.length, 2)
  })

  test(`on ${path} what a client did not declare it is refused, in the words of the extension`, async () => {
    const refused = {
      code: -32021,
      data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
    }
    const taskId = await start('ada', path, `${prefix}slow_compute`)
    for (const id of [taskId, `${prefix}nobody`])
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
        const params = { taskId: id, inputResponses: {} }
        const { code, data } = errorOf((await ask('ada', path, method, params, {})).json())
        assert.deepEqual({ code, data }, refused, method)
      }
    const filter = { notifications: { taskIds: [taskId] } }
    const listening = errorOf((await ask('ada', path, LISTEN, filter, {})).json())
    assert.deepEqual({ code: listening.code, data: listening.data }, refused)
    const listed = await ask('ada', path, 'tasks/list', {})
    assert.equal(listed.status, 404)
    assert.equal(errorOf(listed.json()).code, -32601)
  })
}

test('what a task came to refers to its tool, where all tools are one', async () => {
  const taskId = await start('ada', '/mcp', 'own__slow_compute', { seconds: 0.01 })
  assert.match(taskId, /^own__task-\d+$/)
  const result = await until('the task to be done', async () => {
    const task = resultOf((await ask('ada', '/mcp', 'tasks/get', { taskId })).json())
    return task.status === 'completed' && task.result
  })
  const [, link] = Object(result).content
  assert.equal(link.uri, 'test://own__report')
})

test('a tool that ends with its request is not told that its client could wait', async (t) => {
  const anonymous = await startGateway(t, { tools: { own: { command: fixture('tasks') } } })
  for (const [path, name] of [
    ['/mcp/own', 'slow_compute'],
    ['/mcp', 'own__slow_compute'],
  ] as const) {
    const params = { name, arguments: { seconds: 0.01 } }
    const call = () =>
      modern(`${anonymous.url}${path}`, 'tools/call', params, { capabilities: DECLARED })
    await until('the tool to be known', async () => (await call()).status === 200)
    const answer = resultOf((await call()).json())
    assert.equal(answer.resultType, 'complete')
    assert.match(JSON.stringify(answer.content), /done/)
  }
})

for (const [path, prefix] of [
  ['/mcp/older', ''],
  ['/mcp', 'older__'],
] as const)
  test(`on ${path} a task of 2025-11-25 is its caller’s alone, in a process that callers share`, async () => {
    const open = (who: string) => openSession(`${gateway.url}${path}`, { headers: bearer(who) })
    const [ada, bob] = [await open('ada'), await open('bob')]
    const { capabilities } = resultOf(ada.opened.json())
    assert.deepEqual(Object(capabilities).tasks, { cancel: {}, requests: { tools: { call: {} } } })
    const { task } = resultOf(await ada.request('tools/call', { name: `${prefix}start` }))
    const { taskId } = Object(task)
    assert.equal(resultOf(await ada.request('tasks/get', { taskId })).taskId, taskId)
    const result = resultOf(await ada.request('tasks/result', { taskId }))
    assert.equal(Object(result._meta)[RELATED].taskId, taskId)
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel'])
      for (const id of [taskId, `${prefix}task-1`])
        assert.equal(errorOf(await bob.request(method, { taskId: id })).code, -32602, method)
    assert.equal(errorOf(await bob.request('tasks/list')).code, -32601)

    const about = async (session: typeof ada, id: string) => {
      const params = { name: `${prefix}about`, _meta: { [RELATED]: { taskId: id } } }
      return resultOf(await session.request('tools/call', params))
    }
    const hers = await about(ada, taskId)
    assert.match(JSON.stringify(hers.content), /"task-\d+\\"/)
    assert.notEqual(Object(hers._meta)[RELATED].taskId, 'task-1')
    assert.match(JSON.stringify((await about(bob, taskId)).content), /taskId\\":\\"\\"/)
    await Promise.all([ada.end(), bob.end()])
  })

test('a task of 2025-11-25 is known by its tool’s own id, where its process is a session’s own', async () => {
  const session = await openSession(`${gateway.url}/mcp/older-own`, { headers: bearer('ada') })
  assert.ok(Object(resultOf(session.opened.json()).capabilities).tasks.list)
  const { task } = resultOf(await session.request('tools/call', { name: 'start' }))
  assert.equal(Object(task).taskId, 'task-1')
  assert.deepEqual(resultOf(await session.request('tasks/list')).tasks, [task])
  await session.end()
})

async function listen(t: TestContext, who: string, path: string, notifications: Json) {
  const stream = await modernStream(
    `${gateway.url}${path}`,
    LISTEN,
    { notifications },
    { id: 'listen', capabilities: DECLARED, headers: bearer(who) },
  )
  t.after(() => stream.abort())
  return stream
}
