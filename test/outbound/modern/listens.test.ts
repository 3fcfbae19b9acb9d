import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../../src/errors.ts'
import { META } from '../../../src/protocol/meta.ts'
import { CLIENT, call, code, type Json, modern, open, paramsOf } from './given.ts'

const filter = { toolsListChanged: true, 'com.example/weather': ['x'] }
const LISTEN = {
  method: 'subscriptions/listen',
  params: { notifications: filter, _meta: CLIENT },
}

/** Two clients that listen under the same id, and our ids of their listens. */
async function listening() {
  const opened = await open()
  const clients = [modern(), modern()].map((link) => call(opened, link, { ...LISTEN, id: 'l' }))
  const [one, two] = clients as [(typeof clients)[0], (typeof clients)[0]]
  const ids: unknown[] = []
  for (const _ of clients) {
    const sent = await opened.tool.next('subscriptions/listen')
    assert.deepEqual(paramsOf(sent), LISTEN.params)
    ids.push(sent.id)
  }
  return { ...opened, one, two, ids: ids as [number, number] }
}

const tagged = (id: string, more: Json = {}) => ({
  ...more,
  _meta: { [META.subscriptionId]: id },
})

test('what is said on a listen finds its client, under the id of the client', async () => {
  const { tool, one, two, ids } = await listening()
  tool.tell(ids[0], 'notifications/subscriptions/acknowledged', { notifications: filter })
  tool.tell(ids[1], 'notifications/tools/list_changed')
  tool.tell(ids[0], 'com.example/rain', { mm: 5 })
  tool.tell('l', 'com.example/rain', { mm: 6 })
  tool.tell(99, 'com.example/rain', { mm: 7 })
  const seen = ({ notes }: typeof one) => notes.map(({ method, params }) => [method, params])
  assert.deepEqual(seen(one), [
    ['notifications/subscriptions/acknowledged', tagged('l', { notifications: filter })],
    ['com.example/rain', tagged('l', { mm: 5 })],
  ])
  assert.deepEqual(seen(two), [['notifications/tools/list_changed', tagged('l')]])
})

test('what is said on a call is not taken for said on a listen', async () => {
  const opened = await open()
  const { notes } = call(opened, modern(), { method: 'tools/call', params: { _meta: CLIENT } })
  const { id } = await opened.tool.next('tools/call')
  opened.tool.tell(id, 'notifications/tools/list_changed')
  assert.deepEqual(notes, [])
})

test('a listen ends as the tool ends it: with a result, with a word, with an error', async () => {
  const { tool, one, two, ids } = await listening()
  const serverInfo = { name: 'box', version: '1' }
  const _meta = { [META.subscriptionId]: ids[0], [META.serverInfo]: serverInfo }
  tool.say({ id: ids[0], result: { resultType: 'complete', _meta } })
  assert.deepEqual(await one.answer, {
    jsonrpc: '2.0',
    id: 'l',
    result: {
      resultType: 'complete',
      _meta: { [META.subscriptionId]: 'l', [META.serverInfo]: serverInfo },
    },
  })
  tool.say({ method: 'notifications/cancelled', params: { requestId: ids[1] } })
  const ended = { resultType: 'complete', ...tagged('l') }
  assert.deepEqual(await two.answer, { jsonrpc: '2.0', id: 'l', result: ended })
  const opened = await open()
  const third = call(opened, modern(), LISTEN)
  const error = { code: -32601, message: 'Method not found' }
  opened.tool.say({ id: (await opened.tool.next('subscriptions/listen')).id, error })
  assert.deepEqual((await third.answer).error, error)
})

test('a tool cannot cancel a call, only a listen', async () => {
  const opened = await open()
  const { answer } = call(opened, modern(), { method: 'tools/call', params: { _meta: CLIENT } })
  const sent = await opened.tool.next('tools/call')
  opened.tool.say({ method: 'notifications/cancelled', params: { requestId: sent.id } })
  opened.tool.answer(sent, { ok: true })
  assert.deepEqual((await answer).result, { ok: true })
})

test('a client that goes away ends its listen, and hears nothing more', async () => {
  const { connection, tool, one, two, ids } = await listening()
  connection.cancel(one, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(one.answer), 'cancelled')
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, ids[0])
  tool.tell(ids[0], 'notifications/tools/list_changed')
  assert.deepEqual(one.notes, [])
  connection.detach(two.link, 'answered')
  assert.equal(await code(two.answer), 'tool_gone')
  assert.equal(paramsOf(await tool.next('notifications/cancelled')).requestId, ids[1])
})

test('a listen ends well with a process that we ended, and badly with one that crashed', async () => {
  const ended = await listening()
  await ended.tool.end('idle', false)
  const { result } = await ended.one.answer
  assert.deepEqual(result, { resultType: 'complete', ...tagged('l') })
  const crashed = await listening()
  await crashed.tool.end('it exited with code 1')
  assert.equal(await code(crashed.one.answer), 'tool_gone')
})
