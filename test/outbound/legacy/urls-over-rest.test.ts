import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../../src/errors.ts'
import { asked, call, code, linkOf, type Opened, open } from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'opens' } }
const URL = { mode: 'url', url: 'https://a.example/1', message: 'Open it.', elicitationId: 'e' }
const NEEDED = { code: -32042, message: 'Open it.', data: { elicitations: [URL] } }
const rest = () => linkOf({ era: 'legacy', kind: 'request' })

async function needsUrl({ tool }: Opened): Promise<unknown> {
  const { id } = await tool.next('tools/call')
  tool.say({ id, error: NEEDED })
  return id
}

test('the call is sent again, under a new id, once the url is opened', async () => {
  const opened = await open()
  const client = asked()
  const answered = call(opened, rest(), CALL, client.ask)
  const first = await needsUrl(opened)
  await new Promise(setImmediate)
  const { elicitationId: _id, ...params } = URL
  assert.deepEqual(client.requests, [{ 'url-1': { method: 'elicitation/create', params } }])
  client.answer({ action: 'accept' })
  const again = await opened.tool.next('tools/call')
  assert.notEqual(again.id, first)
  assert.deepEqual(again.params, CALL.params)
  opened.tool.answer(again, { content: [] })
  assert.deepEqual((await answered.answer).result, { content: [] })
})

test('a client that declines, cannot open it, or cannot be asked sees the error', async () => {
  const opened = await open()
  for (const action of ['decline', 'cancel']) {
    const declined = call(opened, rest(), CALL, async () => ({ 'url-1': { action } }))
    await needsUrl(opened)
    assert.deepEqual((await declined.answer).error, NEEDED)
  }
  const unable = call(opened, rest(), CALL, async () => {
    throw new ToolgateError('missing_capability', 'no url')
  })
  await needsUrl(opened)
  assert.deepEqual((await unable.answer).error, NEEDED)
  for (const [link, ask] of [
    [rest(), undefined],
    [linkOf({ era: 'legacy', kind: 'session' }), async () => ({})],
  ] as const) {
    const shown = call(opened, link, CALL, ask)
    await needsUrl(opened)
    assert.deepEqual((await shown.answer).error, NEEDED)
  }
})

test('what else ends the asking ends the call', async () => {
  const opened = await open()
  const late = call(opened, rest(), CALL, async () => {
    throw new ToolgateError('timeout', 'too late')
  })
  await needsUrl(opened)
  assert.equal(await code(late.answer), 'timeout')
  const client = asked()
  const left = call(opened, rest(), CALL, client.ask)
  await needsUrl(opened)
  await new Promise(setImmediate)
  opened.connection.cancel(left, new ToolgateError('cancelled', 'The caller left.'))
  assert.equal(await code(left.answer), 'cancelled')
  client.answer({ action: 'accept' })
  await new Promise(setImmediate)
  assert.deepEqual(opened.tool.unseen, [])
})

test('a tool that is never content is sent the call nine times', async () => {
  const opened = await open()
  const forever = call(opened, rest(), CALL, async () => ({ 'url-1': { action: 'accept' } }))
  for (let times = 0; times < 9; times += 1) await needsUrl(opened)
  assert.deepEqual((await forever.answer).error, NEEDED)
  assert.deepEqual(opened.tool.unseen, [])
})
