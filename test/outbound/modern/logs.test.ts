import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../../../src/call/link.ts'
import { META } from '../../../src/protocol/meta.ts'
import {
  alone,
  CLIENT,
  call,
  linkOf,
  metaOf,
  modern,
  type OpenOptions,
  open,
  session,
} from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'log', _meta: CLIENT } }
const LEVEL = {
  ...CALL,
  params: { ...CALL.params, _meta: { ...CLIENT, [META.logLevel]: 'debug' } },
}
const SAID = { method: 'notifications/message', params: { level: 'info', logger: 'x', data: 'y' } }

const openPrivate = (options: OpenOptions = {}) =>
  open({ private: true, capabilities: { logging: {} }, ...options })

test('a log goes to the only call that wants logs', async () => {
  const opened = await openPrivate()
  const wanting = call(opened, modern(), LEVEL)
  const other = call(opened, modern(), CALL)
  opened.tool.say(SAID)
  assert.deepEqual(wanting.notes, [{ jsonrpc: '2.0', ...SAID }])
  assert.deepEqual(other.notes, [])
  assert.deepEqual(opened.lines, [])
})

test('a log that may be of two calls is in the log of the gateway, without what it says', async () => {
  const opened = await openPrivate()
  const first = call(opened, modern(), LEVEL)
  const second = call(opened, modern(), LEVEL)
  opened.tool.say(SAID)
  assert.deepEqual([first.notes, second.notes], [[], []])
  assert.deepEqual(opened.lines, [{ message: 'tool log', fields: { level: 'info', logger: 'x' } }])
  await opened.tool.next('tools/call')
  opened.tool.answer(await opened.tool.next('tools/call'), {})
  await second.answer
  opened.tool.say(SAID)
  assert.equal(first.notes.length, 1)
})

test('a log that no call wanted is nobody else’s', async () => {
  const opened = await openPrivate()
  const { notes } = call(opened, modern(), CALL)
  opened.tool.say(SAID)
  assert.deepEqual(notes, [])
  assert.equal(opened.lines.length, 1)
})

test('a process of many callers says nothing to any of them', async () => {
  const opened = await open({ capabilities: { logging: {} } })
  const link = session({ logLevel: 'debug' })
  const calls = [call(opened, modern(), LEVEL), call(opened, link, { method: 'tools/list' })]
  await opened.tool.next('tools/call')
  assert.equal(META.logLevel in metaOf(await opened.tool.next('tools/list')), false)
  opened.tool.say(SAID)
  for (const { notes } of calls) assert.deepEqual(notes, [])
  assert.deepEqual(link.seen, [])
  assert.equal(opened.lines.length, 1)
})

test('a session hears logs on its only call, else outside of calls', async () => {
  const opened = await openPrivate()
  const link = session()
  opened.connection.attach(link)
  opened.tool.say(SAID)
  assert.equal(link.seen.length, 1)
  const calls = [1, 2].map((id) => call(opened, link, { id, method: 'tools/list' }))
  const [first, second] = calls as [(typeof calls)[0], (typeof calls)[0]]
  const requests = [await opened.tool.next('tools/list'), await opened.tool.next('tools/list')]
  opened.tool.say(SAID)
  assert.equal(link.seen.length, 2)
  opened.tool.answer(requests[0] ?? {}, { tools: [] })
  await first.answer
  opened.tool.say(SAID)
  assert.deepEqual([link.seen.length, first.notes.length, second.notes.length], [2, 0, 1])
})

test('the level is what the client set, else info where the tool offers logs', async () => {
  const levelOf = async (link: Link, options?: OpenOptions) => {
    const opened = await openPrivate(options)
    call(opened, link, { method: 'tools/list' })
    return metaOf(await opened.tool.next('tools/list'))[META.logLevel]
  }
  assert.equal(await levelOf(session()), 'info')
  assert.equal(await levelOf(session({ logLevel: 'error' })), 'error')
  assert.equal(await levelOf(session(), { capabilities: {} }), undefined)
  assert.equal(await levelOf(alone()), undefined)
  assert.equal(await levelOf(alone({ logLevel: 'error' })), 'error')
})

test('a tool waits while the one session it serves reads too slowly, and counts as alive', async () => {
  const opened = await openPrivate()
  const { promise, resolve } = Promise.withResolvers<void>()
  let slow: Promise<void> | undefined
  const link = session({ pressure: () => slow })
  opened.connection.attach(link)
  opened.tool.say(SAID)
  await new Promise(setImmediate)
  assert.equal(opened.tool.paused, false)
  slow = promise
  opened.tool.say(SAID)
  await new Promise(setImmediate)
  assert.equal(opened.tool.paused, true)
  assert.equal(await opened.connection.alive(1), true)
  slow = undefined
  resolve()
  await promise
  await new Promise(setImmediate)
  assert.equal(opened.tool.paused, false)
})

test('a tool of many does not wait for one of them', async () => {
  const opened = await openPrivate()
  const links = [session, linkOf].map((make) => make({ pressure: () => new Promise(() => {}) }))
  for (const link of links) opened.connection.attach(link)
  opened.tool.say(SAID)
  await new Promise(setImmediate)
  assert.equal(opened.tool.paused, false)
})
