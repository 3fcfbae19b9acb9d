import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type InlineTool, inlineTool, type Message, startInline } from './inline-child.ts'

const MARK = 'toolgate/callId'
const FUNCTIONS = `
  asks: fn({ description: 'x', input: z.object({ keys: z.array(z.string()) }),
    run: async ({ keys }, { ask, signal, log }) => {
      signal.addEventListener('abort', () => console.error('aborted'))
      const form = { mode: 'form', message: 'Who?', _meta: { own: 1 } }
      const question = { method: 'elicitation/create', params: form }
      const all = Object.fromEntries(keys.map((key) => [key, question]))
      const answers = await ask(all)
      log('info', 'asked')
      return answers
    } }),
  roots: fn({ description: 'x', input: z.object({}), run: (_, { ask }) =>
    ask({ here: { method: 'roots/list' } }) }),
  wrong: fn({ description: 'x', input: z.object({}), run: (_, { ask }) =>
    ask({ here: {} as { method: string } }) }),
  many: fn({ description: 'x', input: z.object({}), run: (_, { ask }) =>
    ask(Object.fromEntries(Array.from({ length: 257 }, (_, at) =>
      [at, { method: 'roots/list' }]))) })`

const MARKED = { experimental: { [MARK]: {} } }

async function start(t: TestContext, capabilities: Record<string, unknown>): Promise<InlineTool> {
  const tool = await startInline(t, inlineTool(FUNCTIONS))
  await tool.ask('initialize', { protocolVersion: '2025-11-25', capabilities })
  return tool
}

const call = (tool: InlineTool, id: string, name: string, args: object = {}) =>
  tool.send({ id, method: 'tools/call', params: { name, arguments: args } })
const question = (tool: InlineTool, at = 0) =>
  tool.first(
    (message) =>
      tool.messages.filter(({ id, method }) => id !== undefined && method !== undefined)[at] ===
      message,
  )
const answer = (tool: InlineTool, id: string) =>
  tool.first((message) => message.id === id && message.method === undefined)
const text = ({ result }: Message) => result?.content?.[0]?.text ?? ''

test('it asks one request for each key, and gives the answers back by key', async (t) => {
  const tool = await start(t, MARKED)
  call(tool, 'c', 'asks', { keys: ['a', 'b'] })
  const [first, second] = [await question(tool), await question(tool, 1)]
  assert.notEqual(first.id, second.id)
  assert.equal(first.method, 'elicitation/create')
  const _meta = { own: 1, [MARK]: 'c' }
  assert.deepEqual(first.params, { mode: 'form', message: 'Who?', _meta })
  tool.send({ id: second.id, result: { action: 'decline' } })
  tool.send({ id: first.id, result: { action: 'accept', content: { n: 1 } } })
  const answers = { a: { action: 'accept', content: { n: 1 } }, b: { action: 'decline' } }
  assert.deepEqual(JSON.parse(text(await answer(tool, 'c'))), answers)
})

test('what it sends says whose call it is about, where it was told to say so', async (t) => {
  const marked = await start(t, MARKED)
  const plain = await start(t, { elicitation: {} })
  for (const [tool, _meta] of [
    [marked, { [MARK]: 'c' }],
    [plain, undefined],
  ] as const) {
    call(tool, 'c', 'asks', { keys: ['a'] })
    const { id, params } = await question(tool)
    assert.deepEqual(params?._meta, { own: 1, ..._meta })
    tool.send({ id, result: {} })
    const log = await tool.first(({ method }) => method === 'notifications/message')
    assert.deepEqual(log.params?._meta, _meta)
  }
})

test('an error that comes back is what the function sees, and the rest is withdrawn', async (t) => {
  const tool = await start(t, MARKED)
  call(tool, 'c', 'asks', { keys: ['a', 'b'] })
  const [first, second] = [await question(tool), await question(tool, 1)]
  tool.send({ id: first.id, error: { code: -1, message: 'User rejected it' } })
  const { result } = await answer(tool, 'c')
  assert.equal(result?.isError, true)
  assert.equal(result?.content?.[0]?.text, 'User rejected it')
  const withdrawn = await tool.first(({ method }) => method === 'notifications/cancelled')
  assert.deepEqual(withdrawn.params, { requestId: second.id })
  // Late answers, and answers to nothing, are skipped.
  tool.send({ id: second.id, result: {} })
  tool.send({ id: 'nothing', result: {} })
  assert.deepEqual((await tool.ask('ping')).result, {})
})

test('a call that is given up asks no more', async (t) => {
  const tool = await start(t, MARKED)
  call(tool, 'c', 'asks', { keys: ['a'] })
  const { id } = await question(tool)
  const params = { requestId: 'c', reason: 'enough' }
  tool.send({ method: 'notifications/cancelled', params })
  const withdrawn = await tool.first(({ method }) => method === 'notifications/cancelled')
  assert.deepEqual(withdrawn.params, { requestId: id })
  assert.deepEqual((await tool.ask('ping')).result, {})
  assert.equal(tool.messages.filter((message) => message.id === 'c').length, 0)
  assert.match(tool.stderr(), /aborted/)
})

test('at the end of stdin nothing is waited for any more', async (t) => {
  const tool = await start(t, MARKED)
  call(tool, 'c', 'asks', { keys: ['a'] })
  await question(tool)
  tool.child.stdin?.end()
  assert.equal(text(await answer(tool, 'c')), 'The client has gone.')
  assert.equal(await tool.exited(), 0)
})

test('a session’s own client is asked only what it declared', async (t) => {
  const tool = await start(t, { elicitation: { form: {} } })
  call(tool, 'r', 'roots')
  assert.equal(text(await answer(tool, 'r')), 'The caller cannot be asked: it lacks roots.')
  call(tool, 'c', 'asks', { keys: ['a'] })
  tool.send({ id: (await question(tool)).id, result: { action: 'cancel' } })
  assert.deepEqual(JSON.parse(text(await answer(tool, 'c'))), { a: { action: 'cancel' } })
})

test('too much at once, and what is no question, is refused here', async (t) => {
  const tool = await start(t, MARKED)
  call(tool, 'm', 'many')
  assert.equal(text(await answer(tool, 'm')), 'Too much is asked at once.')
  call(tool, 'w', 'wrong')
  assert.match(text(await answer(tool, 'w')), /Every question has a "method"/)
})
