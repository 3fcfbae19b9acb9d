import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ToolgateError } from '../../../src/errors.ts'
import { asked, call, linkOf, modern, open } from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'asks' } }
const SAMPLING = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }
const FAILED = { content: [{ type: 'text', text: 'no' }], isError: true }
const MISSING = (thrown: unknown) => {
  assert.ok(thrown instanceof ToolgateError)
  assert.equal(thrown.code, 'missing_capability')
  assert.deepEqual(thrown.data, { requiredCapabilities: { sampling: {} } })
  return true
}

test('a tool that fails without what its client did not declare says what was needed', async () => {
  for (const end of [{ result: FAILED }, { error: { code: -32603, message: 'no' } }]) {
    const opened = await open()
    const answered = call(opened, modern(), CALL)
    const request = await opened.tool.next('tools/call')
    opened.tool.say({ id: 'q', ...SAMPLING })
    await opened.tool.next(undefined)
    opened.tool.say({ id: request.id, ...end })
    await assert.rejects(answered.answer, MISSING)
  }
})

test('the same where the client was asked, and the waist refused it', async () => {
  const opened = await open({ exclusive: true, capabilities: { elicitation: {} } })
  const client = asked()
  const answered = call(opened, modern(), CALL, client.ask)
  const request = await opened.tool.next('tools/call')
  opened.tool.say({ id: 'q', ...SAMPLING })
  client.refuse(new ToolgateError('missing_capability', 'no'))
  await opened.tool.next(undefined)
  opened.tool.answer(request, FAILED)
  await assert.rejects(answered.answer, MISSING)
})

test('a tool that does without answers, and so does any for a legacy client', async () => {
  for (const [link, result] of [
    [modern(), { content: [] }],
    [linkOf({ era: 'legacy' }), FAILED],
  ] as const) {
    const opened = await open()
    const answered = call(opened, link, CALL)
    const request = await opened.tool.next('tools/call')
    opened.tool.say({ id: 'q', ...SAMPLING })
    await opened.tool.next(undefined)
    opened.tool.answer(request, result)
    assert.ok((await answered.answer).result)
  }
})
