import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Asked } from '../../../src/inbound/aggregate/asked.ts'
import type { ToolLink } from '../../../src/inbound/aggregate/tool-link.ts'
import { notificationMessage, requestMessage, resultMessage } from '../../../src/protocol/read.ts'

const link = (name: string) => ({ tool: { name } }) as ToolLink
const question = (id: string | number, params: object = {}) =>
  requestMessage(id, 'sampling/createMessage', { ...params })

test('two tools may ask under one id: each gets its own answer, under its own id', () => {
  const asked = new Asked()
  const [one, two] = [link('one'), link('two')]
  const first = asked.outward(one, question(1))
  const second = asked.outward(two, question(1))
  assert.notEqual(first.id, second.id)
  const answer = asked.answer(resultMessage(second.id ?? '', { told: 2 }))
  assert.equal(answer?.link, two)
  assert.deepEqual(answer?.message.json(), { jsonrpc: '2.0', id: 1, result: { told: 2 } })
  assert.equal(asked.answer(resultMessage(first.id ?? '', {}))?.link, one)
})

test('an answer counts once, and one to nothing is nobody’s', () => {
  const asked = new Asked()
  const { id = '' } = asked.outward(link('one'), question('q'))
  assert.ok(asked.answer(resultMessage(id, {})))
  assert.equal(asked.answer(resultMessage(id, {})), undefined)
  assert.equal(asked.answer(resultMessage('q', {})), undefined)
})

test('the progress of a client comes back under the token of the tool that asked', () => {
  const asked = new Asked()
  const sent = asked.outward(link('one'), question(1, { _meta: { progressToken: 7, kept: true } }))
  const meta = Object(sent.json().params)._meta
  assert.equal(meta.kept, true)
  assert.notEqual(meta.progressToken, 7)
  const progress = { progressToken: meta.progressToken, progress: 1 }
  const inward = asked.progress(notificationMessage('notifications/progress', progress))
  assert.deepEqual(inward?.message.json().params, { progressToken: 7, progress: 1 })
  const foreign = notificationMessage('notifications/progress', { progressToken: 7, progress: 1 })
  assert.equal(asked.progress(foreign), undefined)
})

test('a question that is taken back is taken back under the id that the client has', () => {
  const asked = new Asked()
  const [one, two] = [link('one'), link('two')]
  const sent = asked.outward(one, question(1))
  const cancelled = notificationMessage('notifications/cancelled', { requestId: 1, reason: 'r' })
  assert.equal(asked.withdraw(two, cancelled), undefined)
  const told = asked.withdraw(one, cancelled)
  assert.deepEqual(told?.json().params, { requestId: sent.id, reason: 'r' })
  assert.equal(asked.answer(resultMessage(sent.id ?? '', {})), undefined)
})

test('what a tool that is gone had asked need not be answered any more', () => {
  const asked = new Asked()
  const [one, two] = [link('one'), link('two')]
  const ids = [asked.outward(one, question(1)), asked.outward(one, question(2))].map(({ id }) => id)
  const kept = asked.outward(two, question(1))
  const left = asked.drop(one, 'it ended').map((message) => Object(message.json().params))
  assert.deepEqual(
    left,
    ids.map((requestId) => ({ requestId, reason: 'it ended' })),
  )
  assert.equal(asked.answer(resultMessage(kept.id ?? '', {}))?.link, two)
})

test('what its client never answers is forgotten some time', () => {
  const asked = new Asked()
  const first = asked.outward(link('one'), question(0))
  let last = first
  for (let id = 1; id <= 1024; id += 1) last = asked.outward(link('one'), question(id))
  assert.equal(asked.answer(resultMessage(first.id ?? '', {})), undefined)
  assert.ok(asked.answer(resultMessage(last.id ?? '', {})))
})
