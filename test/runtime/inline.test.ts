import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inlineTool, startInline } from './inline-child.ts'

const ADD = `add: fn({
  description: 'Add.',
  input: z.object({ a: z.number(), deep: z.object({ b: z.array(z.number()) }).optional() }),
  output: z.object({ sum: z.number() }),
  run: ({ a, deep }) => ({ sum: (deep?.b ?? []).reduce((sum, b) => sum + b, a), extra: 1 }),
})`

const text = (result: { content?: { text: string }[] } | undefined) => result?.content?.[0]?.text

test('it shakes hands in every legacy version, and offers its own for any other', async (t) => {
  const tool = await startInline(t, inlineTool(ADD))
  for (const protocolVersion of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
    const { result } = await tool.ask('initialize', { protocolVersion })
    assert.equal(result?.protocolVersion, protocolVersion)
    assert.deepEqual(result?.capabilities, { tools: {}, logging: {} })
  }
  const { result } = await tool.ask('initialize', { protocolVersion: '2099-01-01' })
  assert.equal(result?.protocolVersion, '2025-11-25')
  assert.deepEqual((await tool.ask('ping')).result, {})
  assert.equal((await tool.ask('server/discover')).error?.code, -32601)
})

test('it lists what its file declares', async (t) => {
  const tool = await startInline(t, inlineTool(ADD))
  const { result } = await tool.ask('tools/list')
  assert.deepEqual(
    result?.tools?.map(({ name }) => name),
    ['add'],
  )
  assert.match(JSON.stringify(result?.tools?.[0]?.inputSchema), /"type":"object"/)
})

test('an answer is structured where the output is described, and JSON text beside it', async (t) => {
  const tool = await startInline(t, inlineTool(ADD))
  const { result } = await tool.ask('tools/call', {
    name: 'add',
    arguments: { a: 1, deep: { b: [2, 3] } },
  })
  assert.deepEqual(result?.structuredContent, { sum: 6 })
  assert.equal(text(result), '{"sum":6}')
})

test('without an output a text is answered as it is, anything else as JSON', async (t) => {
  const say = (name: string, value: string) =>
    `${name}: fn({ description: 'Say.', input: z.object({}), run: () => (${value}) })`
  const tool = await startInline(
    t,
    inlineTool(
      [say('text', "'plain'"), say('data', '{ a: [1] }'), say('none', 'undefined')].join(),
    ),
  )
  assert.equal(text((await tool.ask('tools/call', { name: 'text' })).result), 'plain')
  assert.equal(text((await tool.ask('tools/call', { name: 'data' })).result), '{"a":[1]}')
  assert.deepEqual((await tool.ask('tools/call', { name: 'none' })).result, { content: [] })
})

test('wrong arguments name each field, and an unknown function is an error', async (t) => {
  const tool = await startInline(t, inlineTool(ADD))
  const args = { a: 'one', deep: { b: [1, 'two'] } }
  const { result } = await tool.ask('tools/call', { name: 'add', arguments: args })
  assert.equal(result?.isError, true)
  assert.match(text(result) ?? '', /expected number, received string at a\n.* at deep\.b\[1\]/)
  for (const name of ['nope', 'toString', '__proto__']) {
    assert.equal((await tool.ask('tools/call', { name })).error?.code, -32602)
  }
})

test('what is thrown shows its message only, and a wrong answer is told', async (t) => {
  const tool = await startInline(
    t,
    inlineTool(`
      throws: fn({ description: 'x', input: z.object({}), run: () => { throw new Error('no luck') } }),
      wrong: fn({ description: 'x', input: z.object({}), output: z.object({ a: z.string() }),
        run: (): never => ({ a: 1 }) as never }),
      big: fn({ description: 'x', input: z.object({}), run: () => ({ n: 1n }) }),
    `),
  )
  const call = async (name: string) => (await tool.ask('tools/call', { name })).result
  assert.deepEqual(await call('throws'), {
    content: [{ type: 'text', text: 'no luck' }],
    isError: true,
  })
  assert.match(text(await call('wrong')) ?? '', /Output validation error.* at a/)
  assert.match(text(await call('big')) ?? '', /BigInt/)
})

test('progress comes in order before the answer, and only where it was asked for', async (t) => {
  const tool = await startInline(
    t,
    inlineTool(`
      steps: fn({ description: 'x', input: z.object({}), run: (_, { progress, log }) => {
        for (let step = 1; step <= 40; step++) progress(step, 40, 'on the way')
        log('info', { done: true })
        return 'done'
      } })`),
  )
  await tool.ask('tools/call', { name: 'steps', _meta: { progressToken: 7 } })
  const [last, log, ...before] = tool.messages.toReversed()
  assert.equal(text(last?.result), 'done')
  assert.deepEqual(log?.params, { level: 'info', logger: 'tool', data: { done: true } })
  assert.deepEqual(
    before.toReversed().map(({ params }) => params?.progress),
    Array.from({ length: 40 }, (_, step) => step + 1),
  )
  const seen = tool.messages.length
  await tool.ask('logging/setLevel', { level: 'error' })
  await tool.ask('tools/call', { name: 'steps' })
  assert.equal(tool.messages.length, seen + 2)
})

test('calls run side by side, and a cancelled one is not answered', async (t) => {
  const tool = await startInline(
    t,
    inlineTool(`
      waits: fn({ description: 'x', input: z.object({}), run: (_, { signal, log }) =>
        new Promise((_, fail) => {
          log('info', 'waiting')
          signal.addEventListener('abort', () => {
            console.error('aborted: ' + signal.reason.message)
            fail(signal.reason)
          })
        }) }),
      quick: fn({ description: 'x', input: z.object({}), run: () => 'quick' })`),
  )
  tool.send({ id: 'slow', method: 'tools/call', params: { name: 'waits' } })
  await tool.first(({ method }) => method === 'notifications/message')
  assert.equal(text((await tool.ask('tools/call', { name: 'quick' })).result), 'quick')
  tool.send({ id: 'slow', method: 'ping' })
  assert.match((await tool.first(({ id }) => id === 'slow')).error?.message ?? '', /id is in use/)
  const params = { requestId: 'slow', reason: 'enough' }
  tool.send({ method: 'notifications/cancelled', params })
  await tool.ask('ping')
  tool.child.stdin?.end()
  assert.equal(await tool.exited(), 0)
  assert.match(tool.stderr(), /aborted: enough/)
  assert.equal(tool.messages.filter(({ id }) => id === 'slow').length, 1)
})

test('what a tool prints goes to stderr', async (t) => {
  const top = "console.log('at import')"
  const run =
    "console.log('in run'); process.stdout.write('raw\\n'); console.dir({ a: 1 }); return 'x'"
  const loud = `loud: fn({ description: 'x', input: z.object({}), run: () => { ${run} } })`
  const tool = await startInline(t, inlineTool(loud, top))
  await tool.ask('tools/call', { name: 'loud' })
  assert.equal(tool.messages.length, 1)
  tool.child.stdin?.end()
  await tool.exited()
  assert.match(tool.stderr(), /at import\nin run\nraw\n\{ a: 1 \}/)
})

test('it knows its workspace, and says that nobody can be asked', async (t) => {
  const tool = await startInline(
    t,
    inlineTool(`
      where: fn({ description: 'x', input: z.object({}), run: (_, { workspace }) => String(workspace) }),
      ask: fn({ description: 'x', input: z.object({}), run: (_, { ask }) =>
        ask({ here: { method: 'roots/list' } }) })`),
  )
  const where = text((await tool.ask('tools/call', { name: 'where' })).result)
  assert.equal(where, realpathSync(where ?? ''))
  const { result } = await tool.ask('tools/call', { name: 'ask' })
  assert.match(text(result) ?? '', /cannot be asked/)
})

test('calls under way are answered after stdin has ended, and then it exits', async (t) => {
  const later = `later: fn({ description: 'x', input: z.object({}), run: async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return 'late'
  } })`
  const tool = await startInline(t, inlineTool(later, 'setInterval(() => {}, 1000)'))
  const answer = tool.ask('tools/call', { name: 'later' })
  tool.child.stdin?.end()
  assert.equal(text((await answer).result), 'late')
  assert.equal(await tool.exited(), 0)
})

test('a line that is no JSON is answered, and breaks nothing', async (t) => {
  const tool = await startInline(t, inlineTool(ADD))
  tool.child.stdin?.write('{"half\n\n[1]\n"x"\nnull\n')
  assert.deepEqual((await tool.ask('ping')).result, {})
  assert.equal(tool.messages[0]?.error?.code, -32700)
})

test('the described version runs, whatever the files say by now', async (t) => {
  const helper = "export { word } from './deep.ts'\n"
  const tool = await startInline(
    t,
    inlineTool(
      "say: fn({ description: 'x', input: z.object({}), run: () => word })",
      "import { word } from './lib/word.ts'",
    ),
    (room) => {
      room.write('tool.ts', 'export default {')
      room.remove('lib')
    },
    { 'lib/word.ts': helper, 'lib/deep.ts': "export const word: string = 'first'\n" },
  )
  assert.equal(text((await tool.ask('tools/call', { name: 'say' })).result), 'first')
})

test('a file that was removed still runs in the version that was described', async (t) => {
  const say = "say: fn({ description: 'x', input: z.object({}), run: () => 'still here' })"
  const tool = await startInline(t, inlineTool(say), ({ folder, remove }) => {
    assert.ok(join(folder, 'tool.ts'))
    remove('tool.ts')
  })
  assert.equal(text((await tool.ask('tools/call', { name: 'say' })).result), 'still here')
})
