import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { InputRequests } from '../../../src/call/call.ts'
import { ToolgateError } from '../../../src/errors.ts'
import { ModernConnection } from '../../../src/outbound/modern.ts'
import { Subscriptions } from '../../../src/outbound/subscriptions.ts'
import { startProcess } from '../../../src/runtime/start.ts'
import { fixture } from '../../harness/fixtures.ts'
import { until } from '../../harness/until.ts'
import { CLIENT, call, code, type Json, type linkOf, listener, modern, session } from './given.ts'

const CAPABILITIES = { elicitation: { form: {} }, sampling: {}, roots: {} }
const answers: Record<string, unknown> = {
  'elicitation/create': { action: 'accept', content: { name: 'Ann' } },
  'roots/list': { roots: [{ uri: 'file:///w' }] },
  'sampling/createMessage': {
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'Paris' },
  },
}
const ask = async (requests: InputRequests) =>
  Object.fromEntries(Object.entries(requests).map(([key, { method }]) => [key, answers[method]]))

/** A process that really runs, and how it is spoken to. */
async function start(t: TestContext, name: string, ...args: string[]) {
  const { log, events, lines, changes } = listener()
  const [program = '', ...rest] = fixture(name, ...args)
  const process = await startProcess({
    program,
    args: rest,
    cwd: import.meta.dirname,
    env: {},
    line: 16 * 1024 * 1024,
    patience: { stdin: 2000, term: 2000 },
    log,
    fields: { tool: 'box', instance: 'box.1' },
  })
  t.after(() => process.close('the test is over'))
  const subscriptions = new Subscriptions()
  const connection = new ModernConnection(process, log, events, subscriptions, { private: true })
  await connection.handshake('1')
  const opened = { connection } as Parameters<typeof call>[0]
  let ids = 0
  const run = (link: ReturnType<typeof linkOf>, method: string, params: Json = {}) =>
    call(opened, link, { id: ++ids, method, params }, ask)
  const calls = (link: ReturnType<typeof linkOf>, what: string, args: Json = {}) =>
    run(link, 'tools/call', { name: what, arguments: args })
  const textOf = async ({ answer }: ReturnType<typeof call>) => {
    const { result, error } = await answer
    assert.equal(error, undefined)
    return ((result as Json).content as { text: string }[])[0]?.text
  }
  return { process, connection, changes, lines, run, calls, textOf }
}

test('a legacy session is served by a tool that knows the modern era only', async (t) => {
  const { connection, changes, run, calls, textOf } = await start(t, 'modern-echo')
  const link = session({ capabilities: CAPABILITIES })
  const { result } = await run(link, 'initialize', { protocolVersion: '2025-11-25' }).answer
  assert.equal((result as Json).instructions, 'Echoes, in the modern era.')
  assert.equal(await textOf(calls(link, 'ask', { rounds: 2 })), 'Ann, Ann')
  assert.deepEqual(JSON.parse((await textOf(calls(link, 'roots'))) ?? ''), answers['roots/list'])
  assert.match((await textOf(calls(link, 'sampling'))) ?? '', /Paris/)
  assert.equal(await textOf(calls(link, 'later', { times: 3 })), '3')
  const logged = calls(link, 'log', { level: 'info' })
  assert.equal(await textOf(logged), '1')
  assert.equal(logged.notes.length, 1)
  const { result: values } = await calls(link, 'values').answer
  assert.deepEqual((values as Json).structuredContent, { result: [1, 2, 3] })
  assert.match(await calls(link, 'digits').text, /"value":12345678901234567890/)
  assert.equal(await code(calls(link, 'task').answer), 'tool_misbehaved')
  await run(link, 'resources/subscribe', { uri: 'test://note' }).answer
  assert.equal(
    await textOf(calls(link, 'listening')),
    JSON.stringify([
      {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: ['test://note'],
      },
    ]),
  )
  await textOf(calls(link, 'touch'))
  await textOf(calls(link, 'change', { kind: 'prompts' }))
  assert.deepEqual(
    link.seen.map(({ method }) => method),
    ['notifications/resources/updated', 'notifications/prompts/list_changed'],
  )
  assert.equal(changes.count, 1)
  await textOf(calls(link, 'end_listens', { abruptly: true }))
  await until('the listen is open again', async () => {
    return (await textOf(calls(link, 'listening'))) !== '[]'
  })
  await run(link, 'resources/unsubscribe', { uri: 'test://note' }).answer
  connection.detach(link, 'deleted')
})

test('a modern client is served as if nobody stood between', async (t) => {
  const { process, connection, lines, run, textOf } = await start(t, 'modern-echo')
  const link = modern({ capabilities: { elicitation: {} } })
  const calls = (name: string, args: Json = {}, meta: Json = {}) =>
    run(link, 'tools/call', { name, arguments: args, _meta: { ...CLIENT, ...meta } })
  const { result } = await calls('ask').answer
  assert.equal((result as Json).resultType, 'input_required')
  const listen = run(link, 'subscriptions/listen', {
    notifications: { toolsListChanged: true },
    _meta: CLIENT,
  })
  const progress = calls('progress', { steps: 2 }, { progressToken: 'p' })
  assert.equal(await textOf(progress), '2 steps')
  assert.equal(progress.notes.length, 2)
  await textOf(calls('change'))
  assert.deepEqual(
    listen.notes.map(({ method }) => method),
    ['notifications/subscriptions/acknowledged', 'notifications/tools/list_changed'],
  )
  const big = await calls('big', { bytes: 300_000 }).answer
  assert.equal(JSON.stringify(big).includes('x'.repeat(300_000)), true)
  const wait = calls('wait', {}, { progressToken: 'w' })
  await until('it waits', () => wait.notes.length > 0)
  connection.cancel(wait, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(wait.answer), 'cancelled')
  await until('the tool heard of it', () => JSON.stringify(lines).includes('cancelled'))
  const exit = calls('exit')
  assert.equal(await code(exit.answer), 'tool_gone')
  assert.equal(await code(listen.answer), 'tool_gone')
  assert.equal((await process.closed).exitCode, 7)
})

test('a tool made with the SDK serves clients of both eras on one process', async (t) => {
  const { changes, run, calls, textOf } = await start(t, 'everything', 'modern')
  const old = session({ capabilities: CAPABILITIES })
  const { result } = await run(old, 'initialize', { protocolVersion: '2025-06-18' }).answer
  assert.deepEqual((result as Json).serverInfo, { name: 'everything', version: '1.0.0' })
  const listed = (await run(old, 'tools/list').answer).result as { tools: Json[] }
  assert.equal('resultType' in listed, false)
  assert.ok(listed.tools.length > 10)
  const asks = calls(old, 'test_input_required_result_elicitation')
  assert.equal(await textOf(asks), 'Hello, Ann!')
  await run(old, 'resources/subscribe', { uri: 'test://watched-resource' }).answer
  await textOf(calls(old, 'test_touch_resource'))
  const link = modern()
  const listen = run(link, 'subscriptions/listen', {
    notifications: { toolsListChanged: true },
    _meta: CLIENT,
  })
  await until('it is acknowledged', () => listen.notes.length === 1)
  await textOf(
    run(link, 'tools/call', { name: 'test_trigger_tool_change', arguments: {}, _meta: CLIENT }),
  )
  await until('both eras heard of it', () => listen.notes.length === 2 && old.seen.length === 2)
  assert.deepEqual(
    old.seen.map(({ method, params }) => [method, params]),
    [
      ['notifications/resources/updated', { uri: 'test://watched-resource' }],
      ['notifications/tools/list_changed', undefined],
    ],
  )
  assert.equal(changes.count, 1)
})
