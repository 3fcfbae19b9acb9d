import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT, call, failure, type Json, modern, open, session } from './given.ts'

const FORM = { mode: 'form', message: 'Who?', requestedSchema: { type: 'object', properties: {} } }
const ELICIT = { method: 'elicitation/create', params: FORM }
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }
const asking = (inputRequests: Json) => ({ resultType: 'input_required', inputRequests })

/** What a modern client is told when a tool answers its request with this. */
async function answered(result: Json, capabilities: Json = {}, method = 'tools/call') {
  const opened = await open()
  const link = modern({ capabilities })
  const called = call(opened, link, { method, params: { name: 'x', _meta: CLIENT } })
  opened.tool.answer(await opened.tool.next(method), result)
  return called
}

test('a modern client is asked what it declared, and what nobody here knows', async () => {
  const known = asking({ a: ELICIT, b: { method: 'soul/give' } })
  const { answer } = await answered(known, { elicitation: {} })
  assert.deepEqual((await answer).result, known)
})

test('a modern client is never asked what it did not declare', async () => {
  const { answer } = await answered(asking({ a: ELICIT, b: SAMPLE }), { elicitation: {} })
  const { code, data } = await failure(answer)
  assert.equal(code, 'missing_capability')
  assert.deepEqual(data, { requiredCapabilities: { sampling: {} } })
  const long = { ...asking({ a: SAMPLE }), requestState: 'x'.repeat(20_000) }
  const { code: again } = await failure((await answered(long)).answer)
  assert.equal(again, 'missing_capability')
})

test('a long answer that asks for nothing stays as it is', async () => {
  const long = { content: [{ type: 'text', text: `input_required ${'x'.repeat(20_000)}` }] }
  assert.deepEqual((await (await answered(long)).answer).result, long)
})

test('nobody is asked anything for a list', async () => {
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'completion/complete']) {
    const { answer } = await answered(asking({ a: ELICIT }), { elicitation: {} }, method)
    assert.equal((await failure(answer)).code, 'tool_misbehaved', method)
  }
  for (const method of ['prompts/get', 'resources/read', 'strange/method']) {
    const { answer } = await answered(asking({ a: ELICIT }), { elicitation: {} }, method)
    assert.equal(((await answer).result as Json).resultType, 'input_required', method)
  }
  const opened = await open()
  const link = session({ capabilities: { elicitation: {} } })
  const asked: unknown[] = []
  const list = call(opened, link, { method: 'tools/list' }, async (requests) => {
    asked.push(requests)
    return {}
  })
  opened.tool.answer(await opened.tool.next('tools/list'), asking({ a: ELICIT }))
  assert.equal((await failure(list.answer)).code, 'tool_misbehaved')
  assert.deepEqual(asked, [])
})
