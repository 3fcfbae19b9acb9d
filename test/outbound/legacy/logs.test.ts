import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { CALL_ID } from '../../../src/protocol/meta.ts'
import { call, type GivenCall, linkOf, modern, type Opened, open, session } from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'logs' } }
const TOOL = { tools: {}, logging: {} }

function log({ tool }: Opened, level: string, more: object = {}): void {
  tool.say({ method: 'notifications/message', params: { level, data: level, ...more } })
}

const levels = ({ notes }: GivenCall) =>
  notes.map(({ params }) => (params as { level: string }).level)

test('the one open call gets the logs it wants, from its level up', async () => {
  const opened = await open({ exclusive: true, tools: TOOL })
  const wants = call(opened, modern({ logLevel: 'warning' }), CALL)
  const level = await opened.tool.next('logging/setLevel')
  assert.deepEqual(level.params, { level: 'warning' })
  opened.tool.answer(level, {})
  for (const each of ['debug', 'notice', 'warning', 'alert', 'odd']) log(opened, each)
  assert.deepEqual(levels(wants), ['warning', 'alert', 'odd'])
  assert.deepEqual(wants.notes[0], {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'warning', data: 'warning' },
  })
  opened.tool.answer(await opened.tool.next('tools/call'), {})
  await wants.answer
})

test('without a level nothing is said, and the gateway keeps the name and level', async () => {
  const opened = await open({ exclusive: true, tools: TOOL })
  for (const link of [modern(), linkOf({ era: 'legacy' })]) {
    const silent = call(opened, link, CALL)
    log(opened, 'error', { logger: 'a' })
    assert.deepEqual(silent.notes, [])
    opened.tool.answer(await opened.tool.next('tools/call'), {})
    await silent.answer
  }
  const fields = { level: 'error', logger: 'a' }
  const line = { message: 'tool log', fields }
  assert.deepEqual(opened.lines, [line, line])
})

test('the tool is told a level only where it changes and where it can log', async () => {
  const opened = await open({ exclusive: true, tools: TOOL })
  const told: unknown[] = []
  for (const logLevel of ['info', 'info', undefined, 'info', 'debug']) {
    const each = call(opened, modern(logLevel === undefined ? {} : { logLevel }), CALL)
    await turn()
    if (opened.tool.unseen[0]?.method === 'logging/setLevel') {
      told.push((await opened.tool.next('logging/setLevel')).params)
    }
    opened.tool.answer(await opened.tool.next('tools/call'), {})
    await each.answer
  }
  assert.deepEqual(told, [{ level: 'info' }, { level: 'debug' }])
  for (const how of [{ exclusive: true }, { tools: TOOL }, { correlated: true, tools: TOOL }]) {
    const other = await open(how)
    void call(other, modern({ logLevel: 'debug' }), CALL)
    await other.tool.next('tools/call')
  }
})

test('where calls are open side by side nobody gets what nobody signed', async () => {
  const opened = await open({ tools: TOOL })
  const only = call(opened, modern({ logLevel: 'debug' }), CALL)
  log(opened, 'error')
  assert.deepEqual(only.notes, [])
  assert.equal(opened.lines.length, 1)
})

test('a child of our own signs its logs: each goes to its call, without the signature', async () => {
  const opened = await open({ correlated: true, tools: TOOL })
  const links = [
    modern({ logLevel: 'debug' }),
    modern(),
    session(),
    session({ logLevel: 'error' }),
    linkOf({ era: 'legacy' }),
  ]
  const calls = links.map((link) => call(opened, link, CALL))
  for (const _ of calls) {
    const { id } = await opened.tool.next('tools/call')
    for (const level of ['debug', 'info', 'error']) {
      log(opened, level, { _meta: { [CALL_ID]: id } })
    }
  }
  assert.deepEqual(calls.map(levels), [
    ['debug', 'info', 'error'],
    [],
    ['info', 'error'],
    ['error'],
    ['info', 'error'],
  ])
  assert.deepEqual(calls[0]?.notes[0]?.params, { level: 'debug', data: 'debug' })
  const before = opened.lines.length
  log(opened, 'error', { _meta: { [CALL_ID]: 999 } })
  log(opened, 'error')
  assert.equal(opened.lines.length, before + 2)
})

test('a session’s level is taken here and does not reach the process', async () => {
  const opened = await open({ correlated: true, tools: TOOL })
  const set = call(opened, session(), { method: 'logging/setLevel', params: { level: 'error' } })
  assert.deepEqual((await set.answer).result, {})
  assert.deepEqual(opened.tool.unseen, [])
})
