import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ToolgateError } from '../../../src/errors.ts'
import { META } from '../../../src/protocol/meta.ts'
import {
  CLIENT,
  call,
  code,
  type Json,
  modern,
  type Opened,
  open,
  SERVER,
  session,
} from './given.ts'

const LISTS = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
const ALL = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
}
const listen = (
  opened: Opened,
  notifications: unknown,
  id: string | number = 'l',
  link = modern(),
) =>
  call(opened, link, {
    id,
    method: 'subscriptions/listen',
    params: { notifications, _meta: CLIENT },
  })
const changed = (what: string) => ({ method: `notifications/${what}/list_changed` })
const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } })
const tagged = ({ method, params }: { method: string; params?: object }, id: unknown = 'l') => ({
  jsonrpc: '2.0',
  method,
  params: { ...params, _meta: { [META.subscriptionId]: id } },
})
const acknowledged = (notifications: object, id: unknown = 'l') =>
  tagged({ method: 'notifications/subscriptions/acknowledged', params: { notifications } }, id)

/** The tool agrees to the subscriptions that come next. */
async function agree({ tool }: Opened, count = 1): Promise<unknown[]> {
  const uris: unknown[] = []
  for (let at = 0; at < count; at += 1) {
    const asked = await tool.next('resources/subscribe')
    uris.push((asked.params as Json).uri)
    tool.answer(asked, {})
  }
  await turn()
  return uris
}

test('what the tool offers is honoured, and told with the id of the listen', async () => {
  const opened = await open({ tools: ALL })
  const all = listen(opened, { ...LISTS, unknown: true })
  const one = listen(opened, { promptsListChanged: true, toolsListChanged: false }, 7)
  const some = await open({ tools: { tools: { listChanged: true }, prompts: {} } })
  const less = listen(some, { ...LISTS, resourceSubscriptions: ['a:1'] })
  await turn()
  assert.deepEqual(all.notes, [acknowledged(LISTS)])
  assert.deepEqual(one.notes, [acknowledged({ promptsListChanged: true }, 7)])
  assert.deepEqual(less.notes, [acknowledged({ toolsListChanged: true })])
  assert.deepEqual(some.tool.unseen, [])
  const old = session()
  opened.connection.attach(old)
  for (const what of ['tools', 'prompts', 'resources']) opened.tool.say(changed(what))
  assert.deepEqual(
    all.notes.slice(1),
    ['tools', 'prompts', 'resources'].map((what) => tagged(changed(what))),
  )
  assert.deepEqual(one.notes.slice(1), [tagged(changed('prompts'), 7)])
  assert.equal(old.seen.length, 3)
  assert.equal(opened.changes.count, 3)
})

test('an update of a part of a resource is for whoever subscribed to the whole', async () => {
  const opened = await open({ tools: ALL })
  const whole = listen(opened, { resourceSubscriptions: ['it://a'] })
  const other = listen(opened, { resourceSubscriptions: ['it://b'] }, 2)
  await agree(opened, 2)
  const old = session()
  const subscribed = call(opened, old, {
    method: 'resources/subscribe',
    params: { uri: 'it://a/b/' },
  })
  await agree(opened)
  await subscribed.answer
  opened.tool.say(updated('it://a/b/c'))
  opened.tool.say(updated('it://ab'))
  assert.deepEqual(whole.notes.slice(1), [tagged(updated('it://a/b/c'))])
  assert.deepEqual(other.notes.length, 1)
  assert.deepEqual(old.seen, [{ jsonrpc: '2.0', ...updated('it://a/b/c') }])
})

test('a resource is subscribed to once for all, and given up with its last listener', async () => {
  const opened = await open({ tools: ALL })
  const { tool, connection } = opened
  const first = listen(opened, { resourceSubscriptions: ['a:1', 'a:2', 'a:1'] })
  const second = listen(opened, { resourceSubscriptions: ['a:2'] }, 2)
  const old = session()
  const subscribed = call(opened, old, { method: 'resources/subscribe', params: { uri: 'a:1' } })
  await turn()
  assert.deepEqual([first.notes, second.notes], [[], []])
  assert.deepEqual(await agree(opened, 2), ['a:1', 'a:2'])
  await subscribed.answer
  assert.deepEqual(first.notes, [acknowledged({ resourceSubscriptions: ['a:1', 'a:2'] })])
  assert.deepEqual(second.notes, [acknowledged({ resourceSubscriptions: ['a:2'] }, 2)])
  tool.say(updated('a:1'))
  tool.say(updated('a:2'))
  tool.say(updated('a:3'))
  assert.deepEqual(first.notes.slice(1), [tagged(updated('a:1')), tagged(updated('a:2'))])
  assert.deepEqual(second.notes.slice(1), [tagged(updated('a:2'), 2)])
  assert.deepEqual(old.seen, [{ jsonrpc: '2.0', ...updated('a:1') }])
  connection.cancel(first, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(first.answer), 'cancelled')
  assert.deepEqual(tool.unseen, [])
  connection.detach(second.link, 'answered')
  assert.equal(await code(second.answer), 'tool_gone')
  const given = await tool.next('resources/unsubscribe')
  assert.deepEqual(given.params, { uri: 'a:2' })
  assert.deepEqual([...opened.subscriptions.uris()], ['a:1'])
})

test('what the tool refuses is not honoured, for whoever waited with it', async () => {
  const opened = await open({ tools: ALL })
  const both = [1, 2].map((id) => listen(opened, { resourceSubscriptions: ['a:1', 'a:2'] }, id))
  const refused = await opened.tool.next('resources/subscribe')
  opened.tool.say({ id: refused.id, error: { code: -32602, message: 'no such resource' } })
  await agree(opened)
  for (const [at, { notes }] of both.entries()) {
    assert.deepEqual(notes, [acknowledged({ resourceSubscriptions: ['a:2'] }, at + 1)])
  }
  assert.deepEqual([...opened.subscriptions.uris()], ['a:2'])
})

test('news from before the acknowledgement follow it, each once', async () => {
  const opened = await open({ tools: ALL })
  const early = listen(opened, { toolsListChanged: true, resourceSubscriptions: ['a:1'] })
  for (let times = 0; times < 3; times += 1) {
    opened.tool.say(changed('tools'))
    opened.tool.say(updated('a:1'))
  }
  assert.deepEqual(early.notes, [])
  await agree(opened)
  assert.deepEqual(early.notes, [
    acknowledged({ toolsListChanged: true, resourceSubscriptions: ['a:1'] }),
    tagged(changed('tools')),
    tagged(updated('a:1')),
  ])
})

test('one that is given up while the tool is asked leaves nothing behind', async () => {
  const opened = await open({ tools: ALL })
  const left = listen(opened, { resourceSubscriptions: ['a:1'] })
  opened.connection.cancel(left, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(left.answer), 'cancelled')
  await agree(opened)
  await opened.tool.next('resources/unsubscribe')
  assert.deepEqual(left.notes, [])
  assert.equal(opened.subscriptions.any, false)
})

test('a tool that is gone ends it with an error, one that is replaced with a result', async () => {
  const failed = await open({ tools: ALL })
  const lost = listen(failed, LISTS)
  await failed.tool.end('it fell over')
  assert.equal(await code(lost.answer), 'tool_gone')
  const opened = await open({ tools: ALL })
  const over = listen(opened, { resourceSubscriptions: ['a:1'] }, 9)
  await agree(opened)
  await opened.tool.close('it was replaced')
  assert.deepEqual(await over.answer, {
    jsonrpc: '2.0',
    id: 9,
    result: {
      resultType: 'complete',
      _meta: { [META.serverInfo]: SERVER, [META.subscriptionId]: 9 },
    },
  })
  assert.equal(opened.subscriptions.any, false)
})

test('a listen is no call that a process is drained for', async () => {
  const opened = await open({ tools: ALL })
  void listen(opened, LISTS)
  await opened.connection.drained(60_000)
})

test('what is no filter is refused', async () => {
  const opened = await open({ tools: ALL })
  const many = Array.from({ length: 257 }, (_, at) => `a:${at}`)
  for (const filter of [
    undefined,
    [],
    'all',
    { resourceSubscriptions: 'a:1' },
    { resourceSubscriptions: [1] },
    { resourceSubscriptions: ['x'.repeat(8193)] },
    { resourceSubscriptions: many },
  ]) {
    assert.equal(await code(listen(opened, filter).answer), 'invalid_params')
  }
  assert.equal(opened.subscriptions.any, false)
  void listen(opened, { resourceSubscriptions: many.slice(1) })
  await agree(opened, 256)
})

test('one link listens once at a time', async () => {
  const opened = await open({ tools: ALL })
  const link = modern()
  void listen(opened, LISTS, 1, link)
  assert.equal(await code(listen(opened, LISTS, 2, link).answer), 'conflict')
})
