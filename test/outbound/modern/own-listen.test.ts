import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subscriptions } from '../../../src/outbound/subscriptions.ts'
import { META } from '../../../src/protocol/meta.ts'
import {
  alone,
  call,
  cancelOf,
  code,
  failure,
  type Json,
  linkOf,
  modern,
  type OpenOptions,
  open,
  paramsOf,
  session,
} from './given.ts'

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: false },
  resources: { listChanged: true, subscribe: true },
}
const LISTS = { toolsListChanged: true, resourcesListChanged: true }

const wanted = (request: Json) => paramsOf(request).notifications
const subscribe = (uri: string, id = uri) => ({
  id,
  method: 'resources/subscribe',
  params: { uri },
})
const unsubscribe = (uri: string) => ({ ...subscribe(uri, 'u'), method: 'resources/unsubscribe' })

/** Its own listen is acknowledged. */
async function listening(options: OpenOptions = {}) {
  const opened = await open({ capabilities: CAPABILITIES, ...options })
  const first = await opened.tool.next('subscriptions/listen')
  opened.tool.acknowledge(first)
  await new Promise(setImmediate)
  const { tool, subscriptions } = opened
  /** Subscribes as the tool grants it; our id of the listen that counts now. */
  const subscribed = async (link: ReturnType<typeof linkOf>, uri: string, last: unknown) => {
    const { answer } = call(opened, link, subscribe(uri))
    const next = await tool.next('subscriptions/listen')
    tool.acknowledge(next)
    assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, last)
    assert.deepEqual((await answer).result, {})
    return next.id
  }
  return { ...opened, tool, subscriptions, opened, first, subscribed }
}

test('a tool that offers changes of its lists is listened to, any other is not', async () => {
  const { first, tool } = await listening()
  assert.deepEqual(wanted(first), LISTS)
  assert.equal((paramsOf(first)._meta as Json)[META.protocolVersion], '2026-07-28')
  assert.deepEqual(tool.unseen, [])
  const { tool: quiet } = await open({ capabilities: { resources: { subscribe: true } } })
  await new Promise(setImmediate)
  assert.deepEqual(quiet.unseen, [])
})

test('a change of a list reaches the catalogue and the legacy sessions, untagged', async () => {
  const { tool, first, connection, changes } = await listening()
  const sessions = [session(), session()]
  const others = [modern(), alone(), linkOf({ kind: 'session' })]
  for (const link of [...sessions, ...others]) connection.attach(link)
  const method = 'notifications/tools/list_changed'
  tool.tell(first.id, method)
  tool.say({ method, params: { _meta: { [META.subscriptionId]: first.id, k: 1 }, n: 1 } })
  tool.say({ method })
  tool.tell(String(first.id), method)
  assert.equal(changes.count, 2)
  for (const { seen } of sessions) {
    assert.deepEqual(seen, [
      { jsonrpc: '2.0', method },
      { jsonrpc: '2.0', method, params: { _meta: { k: 1 }, n: 1 } },
    ])
  }
  for (const { seen } of others) assert.deepEqual(seen, [])
})

test('what nobody listens for reaches nobody, though the tool says it on our listen', async () => {
  const { tool, first, connection } = await listening()
  const link = session()
  connection.attach(link)
  tool.tell(first.id, 'notifications/progress', { progressToken: 1, progress: 1 })
  tool.tell(first.id, 'notifications/message', { level: 'alert', data: 'of another' })
  tool.tell(first.id, 'notifications/strange')
  tool.tell(first.id, 'notifications/resources/updated', { uri: 'of://another' })
  assert.deepEqual(link.seen, [])
})

test('a subscription is answered when the tool has acknowledged it', async () => {
  const { opened, tool, first } = await listening()
  const link = session()
  let answered = false
  const { answer } = call(opened, link, subscribe('a:1'))
  void answer.then(() => {
    answered = true
  })
  const next = await tool.next('subscriptions/listen')
  assert.deepEqual(wanted(next), { ...LISTS, resourceSubscriptions: ['a:1'] })
  assert.deepEqual(tool.unseen, [])
  await new Promise(setImmediate)
  assert.equal(answered, false)
  tool.acknowledge(next)
  assert.deepEqual(await answer, { jsonrpc: '2.0', id: 'a:1', result: {} })
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, first.id)
})

test('from one listen to the next nothing is missed and nothing heard twice', async () => {
  const { opened, tool, first, changes } = await listening()
  const link = session()
  const method = 'notifications/tools/list_changed'
  const { answer } = call(opened, link, subscribe('a:1'))
  const next = await tool.next('subscriptions/listen')
  tool.tell(first.id, method, { at: 1 })
  tool.tell(next.id, method, { at: 'too early' })
  tool.acknowledge(next)
  tool.tell(first.id, method, { at: 2 })
  tool.tell(next.id, method, { at: 2 })
  await answer
  tool.tell(first.id, method, { at: 3 })
  tool.tell(next.id, method, { at: 3 })
  assert.deepEqual(
    link.seen.map(({ params }) => (params as Json).at),
    [1, 2, 3],
  )
  assert.equal(changes.count, 3)
})

test('an update goes to those who subscribed to it, or to what it is a part of', async () => {
  const { tool, first, connection, subscribed } = await listening()
  const [one, two, three] = [session(), session(), session()]
  let id = await subscribed(one, 'file:///a/b', first.id)
  id = await subscribed(two, 'file:///a/', id)
  connection.attach(three)
  const update = (uri: unknown) => tool.tell(id, 'notifications/resources/updated', { uri })
  for (const uri of ['file:///a/b', 'file:///a/c?x', 'file:///z', 5, `f:${'/'.repeat(9000)}`]) {
    update(uri)
  }
  const uris = ({ seen }: typeof one) => seen.map(({ params }) => (params as Json).uri)
  assert.deepEqual(uris(one), ['file:///a/b'])
  assert.deepEqual(uris(two), ['file:///a/b', 'file:///a/c?x'])
  assert.deepEqual(uris(three), [])
})

test('what comes while a listen opens is asked for together, in the next one', async () => {
  const { opened, tool, first } = await listening()
  const calls = ['a:1', 'a:2', 'a:3'].map((uri) => call(opened, session(), subscribe(uri)))
  const one = await tool.next('subscriptions/listen')
  assert.deepEqual(wanted(one), { ...LISTS, resourceSubscriptions: ['a:1'] })
  tool.acknowledge(one)
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, first.id)
  const all = await tool.next('subscriptions/listen')
  assert.deepEqual(wanted(all), { ...LISTS, resourceSubscriptions: ['a:1', 'a:2', 'a:3'] })
  tool.acknowledge(all)
  for (const { answer } of calls) assert.deepEqual((await answer).result, {})
  await tool.next('notifications/cancelled')
  assert.deepEqual(tool.unseen, [])
})

test('a resource that is subscribed to already costs the tool nothing', async () => {
  const { opened, tool, first, subscribed } = await listening()
  const [one, two] = [session(), session()]
  const id = await subscribed(one, 'a:1', first.id)
  assert.deepEqual((await call(opened, two, subscribe('a:1')).answer).result, {})
  assert.deepEqual((await call(opened, one, unsubscribe('a:1')).answer).result, {})
  assert.deepEqual(tool.unseen, [])
  tool.tell(id, 'notifications/resources/updated', { uri: 'a:1' })
  assert.deepEqual([one.seen.length, two.seen.length], [0, 1])
  assert.deepEqual((await call(opened, two, unsubscribe('a:1')).answer).result, {})
  assert.deepEqual(wanted(await tool.next('subscriptions/listen')), LISTS)
})

test('what only one link was subscribed to is given up when it leaves', async () => {
  const { tool, first, connection, subscriptions, subscribed } = await listening()
  const [one, two] = [session(), session()]
  let id = await subscribed(one, 'a:1', first.id)
  id = await subscribed(two, 'a:2', id)
  connection.detach(one, 'deleted')
  const next = await tool.next('subscriptions/listen')
  assert.deepEqual(wanted(next), { ...LISTS, resourceSubscriptions: ['a:2'] })
  tool.acknowledge(next)
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, id)
  assert.deepEqual([...subscriptions.uris()], ['a:2'])
})

test('where nothing is left to listen to, the listen is ended', async () => {
  const opened = await open({ capabilities: { resources: { subscribe: true } } })
  const { tool } = opened
  const link = session()
  const { answer } = call(opened, link, subscribe('a:1'))
  const listen = await tool.next('subscriptions/listen')
  tool.acknowledge(listen)
  await answer
  await call(opened, link, unsubscribe('a:1')).answer
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, listen.id)
  assert.deepEqual(tool.unseen, [])
})

test('a subscription that the tool refuses or does not grant is none', async () => {
  const { opened, tool, first, subscriptions } = await listening()
  const link = session()
  const refused = call(opened, link, subscribe('a:1'))
  const { id } = await tool.next('subscriptions/listen')
  tool.say({ id, error: { code: -32603, message: 'Subscription limit reached' } })
  const error = await failure(refused.answer)
  assert.equal(error.code, 'tool_error')
  assert.match(error.message, /limit reached/)
  const ended = call(opened, link, subscribe('a:1'))
  tool.answer(await tool.next('subscriptions/listen'), {})
  assert.equal(await code(ended.answer), 'tool_misbehaved')
  const ungranted = call(opened, link, subscribe('a:2'))
  const listen = await tool.next('subscriptions/listen')
  tool.acknowledge(listen, LISTS)
  assert.equal(await code(ungranted.answer), 'invalid_params')
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, first.id)
  assert.deepEqual([...subscriptions.uris()], [])
  assert.equal(await code(call(opened, link, subscribe('x'.repeat(8193))).answer), 'invalid_params')
})

test('a subscription that is given up while it waits is none', async () => {
  const { opened, tool, connection, subscriptions } = await listening()
  const link = session()
  const { answer } = call(opened, link, subscribe('a:1', 'id'))
  const listen = await tool.next('subscriptions/listen')
  connection.tell(link, cancelOf('id'))
  assert.equal(await code(answer), 'cancelled')
  assert.deepEqual([...subscriptions.uris()], [])
  tool.acknowledge(listen)
  await tool.next('notifications/cancelled')
  assert.deepEqual(wanted(await tool.next('subscriptions/listen')), LISTS)
})

test('a tool that never acknowledges keeps nobody waiting for ever', async (t) => {
  const { opened, tool } = await listening()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { answer } = call(opened, session(), subscribe('a:1'))
  const listen = tool.next('subscriptions/listen')
  t.mock.timers.tick(1)
  const { id } = await listen
  t.mock.timers.tick(10_000)
  assert.equal(await code(answer), 'timeout')
  const cancelled = tool.next('notifications/cancelled')
  t.mock.timers.tick(1)
  assert.equal(paramsOf(await cancelled).requestId, id)
})

test('a listen that the tool ends is opened again, in either way it ends', async () => {
  const { tool, first, connection, changes } = await listening()
  const link = session()
  connection.attach(link)
  tool.answer(first, { resultType: 'complete' })
  const second = await tool.next('subscriptions/listen')
  tool.acknowledge(second)
  tool.say({ method: 'notifications/cancelled', params: { requestId: second.id } })
  const third = await tool.next('subscriptions/listen')
  assert.deepEqual(wanted(third), LISTS)
  tool.acknowledge(third)
  tool.tell(third.id, 'notifications/tools/list_changed')
  assert.equal(changes.count, 1)
  assert.equal(link.seen.length, 1)
})

test('a tool that knows no listens is fine without, and not asked again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { tool, lines } = await open({ capabilities: CAPABILITIES })
  const listen = tool.next('subscriptions/listen')
  const error = { code: -32601, message: 'Method not found' }
  tool.say({ id: (await listen).id, error })
  await new Promise(setImmediate)
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['listening to the tool failed'],
  )
  t.mock.timers.tick(60_000)
  await new Promise(setImmediate)
  assert.deepEqual(tool.unseen, [])
})

test('a tool that failed to listen is asked again, later and later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { tool } = await open({ capabilities: CAPABILITIES })
  const error = { code: -32603, message: 'busy' }
  for (const wait of [250, 500, 1000]) {
    const { id } = tool.unseen.at(-1) ?? {}
    await tool.next('subscriptions/listen')
    tool.say({ id, error })
    await new Promise(setImmediate)
    t.mock.timers.tick(wait - 1)
    await new Promise(setImmediate)
    assert.deepEqual(tool.unseen, [])
    t.mock.timers.tick(1)
    await new Promise(setImmediate)
    assert.equal(tool.unseen.length, 1)
  }
})

test('what was subscribed to before a restart is listened to by the next process', async () => {
  const subscriptions = new Subscriptions()
  const before = await listening({ subscriptions })
  const link = session()
  await before.subscribed(link, 'a:1', before.first.id)
  await before.tool.end('it exited with code 1')
  const { tool, connection, first } = await listening({ subscriptions })
  connection.resubscribe()
  assert.deepEqual(wanted(first), { ...LISTS, resourceSubscriptions: ['a:1'] })
  tool.tell(first.id, 'notifications/resources/updated', { uri: 'a:1' })
  assert.equal(link.seen.length, 1)
  await new Promise(setImmediate)
  assert.deepEqual(tool.unseen, [])
})

test('a subscription that waits ends with the process, and nothing is opened again', async (t) => {
  const { opened, tool } = await listening()
  const { answer } = call(opened, session(), subscribe('a:1'))
  await tool.next('subscriptions/listen')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await tool.end('it exited with code 1')
  assert.equal(await code(answer), 'tool_gone')
  t.mock.timers.tick(60_000)
  await new Promise(setImmediate)
  assert.deepEqual(tool.unseen, [])
})

test('more than a listen can name is refused, and what it can is listened to', async () => {
  const { opened, subscriptions, tool } = await listening()
  const uri = (at: number) => `a:${String(at).padStart(7000, '0')}`
  const links = [session(), session()]
  for (let at = 0; at < 142; at += 1) subscriptions.join(links[at % 2] ?? session(), uri(at))
  const { answer } = call(opened, session(), subscribe(uri(142)))
  assert.equal(await code(answer), 'unavailable')
  const { resourceSubscriptions: uris } = wanted(await tool.next('subscriptions/listen')) as Json
  assert.equal((uris as unknown[]).length, 142)
})
