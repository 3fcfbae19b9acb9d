import assert from 'node:assert/strict'
import { test } from 'node:test'
import { META } from '../../../src/protocol/meta.ts'
import { alone, call, type Json, metaOf, open, paramsOf, session } from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'echo', arguments: { a: 1 } } }

const initialize = (protocolVersion: string) => ({
  method: 'initialize',
  params: { protocolVersion, capabilities: {}, clientInfo: { name: 'c', version: '1' } },
})

test('initialize is answered from what the tool said of itself', async () => {
  const opened = await open({
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
      extensions: { 'com.example/x': { y: 1 }, 'io.modelcontextprotocol/tasks': {} },
    },
    discover: {
      instructions: 'Be kind.',
      ttlMs: 5,
      _meta: { [META.serverInfo]: { name: 'tool', version: '2', title: 'T' } },
    },
  })
  await opened.tool.next('subscriptions/listen')
  const { answer } = call(opened, session(), initialize('2025-06-18'))
  assert.deepEqual((await answer).result, {
    protocolVersion: '2025-06-18',
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
      extensions: { 'com.example/x': { y: 1 } },
    },
    serverInfo: { name: 'tool', version: '2', title: 'T' },
    instructions: 'Be kind.',
  })
  assert.deepEqual(opened.tool.unseen, [])
})

test('a client that wants an unknown version is given the latest legacy one', async () => {
  const opened = await open()
  for (const wanted of ['2026-07-28', '1999-01-01']) {
    const { answer } = call(opened, session(), initialize(wanted))
    const { protocolVersion, serverInfo } = (await answer).result as Json
    assert.equal(protocolVersion, '2025-11-25')
    assert.deepEqual(serverInfo, { name: 'box', version: 'unknown' })
  }
})

test('what the modern era has no request for never reaches the tool', async () => {
  const opened = await open()
  const link = session()
  const told = async (request: Json) => {
    const { result, error } = await call(opened, link, request).answer
    return result ?? (error as Json).code
  }
  assert.deepEqual(await told({ method: 'ping' }), {})
  assert.deepEqual(await told({ method: 'logging/setLevel', params: { level: 'error' } }), {})
  assert.equal(await told({ method: 'logging/setLevel', params: { level: 'loud' } }), -32602)
  assert.equal(await told({ method: 'subscriptions/listen', params: {} }), -32601)
  assert.equal(await told({ method: 'server/discover' }), -32601)
  assert.equal(await told({ method: 'resources/subscribe', params: { uri: 'a:b' } }), -32601)
  assert.deepEqual(opened.tool.unseen, [])
})

test('a request says of its client what the session knows', async () => {
  const opened = await open()
  const clientInfo = { name: 'old', version: '9' }
  const capabilities = {
    elicitation: {},
    roots: { listChanged: true },
    sampling: { tools: {} },
    tasks: { list: {} },
    extensions: { 'com.example/x': {}, 'io.modelcontextprotocol/tasks': {} },
  }
  const _meta = {
    progressToken: 'p',
    traceparent: 't',
    [META.protocolVersion]: '2025-11-25',
    [META.logLevel]: 'debug',
  }
  const params = { ...CALL.params, _meta }
  const link = session({ clientInfo, capabilities })
  const { notes } = call(opened, link, { ...CALL, params })
  const sent = await opened.tool.next('tools/call')
  assert.deepEqual(paramsOf(sent).arguments, { a: 1 })
  assert.deepEqual(metaOf(sent), {
    progressToken: sent.id,
    traceparent: 't',
    [META.protocolVersion]: '2026-07-28',
    [META.clientInfo]: clientInfo,
    [META.clientCapabilities]: {
      elicitation: { form: {} },
      roots: {},
      sampling: { tools: {} },
      extensions: { 'com.example/x': {} },
    },
  })
  const progress = { progressToken: sent.id, progress: 1 }
  opened.tool.say({ method: 'notifications/progress', params: progress })
  assert.deepEqual(notes[0]?.params, { progressToken: 'p', progress: 1 })
})

test('a client that says nothing of itself is spoken for', async () => {
  const opened = await open()
  const elicitation = { url: {} }
  call(opened, alone({ capabilities: { elicitation } }), { method: 'tools/list' })
  assert.deepEqual(metaOf(await opened.tool.next('tools/list')), {
    [META.protocolVersion]: '2026-07-28',
    [META.clientInfo]: { name: 'toolgate', version: '1.2.3' },
    [META.clientCapabilities]: { elicitation },
  })
})

test('a result loses what only the modern era has, and no digit', async () => {
  const opened = await open()
  const { text } = call(opened, session(), '{"jsonrpc":"2.0","id":"a","method":"resources/read"}')
  const { id } = await opened.tool.next('resources/read')
  const kept =
    '"contents":[{"n":12345678901234567890,"resultType":"mine","z":1.50}],"_meta":{"k":1}'
  const dropped = '"resultType":"complete","ttlMs":5,"cacheScope":"public"'
  opened.tool.line(`{"jsonrpc":"2.0","id":${id},"result":{${dropped},${kept}}}`)
  assert.equal(await text, `{"jsonrpc":"2.0","id":"a","result":{${kept}}}`)
})

test('structured content that is no object is wrapped, beside its text', async () => {
  const opened = await open()
  const content = [{ type: 'text', text: 'x' }]
  const wrapped = async (value: string) => {
    const { text } = call(opened, alone(), CALL)
    const { id } = await opened.tool.next('tools/call')
    const result = `{"resultType":"complete","content":${JSON.stringify(content)},"structuredContent":${value}}`
    opened.tool.line(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
    const [, told] = /"structuredContent":(.*)\}\}$/.exec(await text) ?? []
    return told
  }
  for (const value of ['[1,2]', '"s"', '5', 'false', 'null', '12345678901234567890', '1e400']) {
    assert.equal(await wrapped(value), `{"result":${value}}`)
  }
  assert.equal(await wrapped('{"a":12345678901234567890}'), '{"a":12345678901234567890}')
})

test('a result without a type is complete, and an error passes with its code', async () => {
  const opened = await open()
  const older = call(opened, session(), CALL)
  opened.tool.answer(await opened.tool.next('tools/call'), { content: [] })
  assert.deepEqual((await older.answer).result, { content: [] })
  const refused = call(opened, session(), CALL)
  const error = { code: -32602, message: 'Resource not found', data: { uri: 'a:b' } }
  opened.tool.say({ id: (await opened.tool.next('tools/call')).id, error })
  assert.deepEqual(await refused.answer, { jsonrpc: '2.0', id: 1, error })
})

test('a listed function whose output is no object says what its clients are given', async () => {
  const opened = await open()
  const { answer } = call(opened, session(), { method: 'tools/list' })
  const object = { name: 'o', outputSchema: { type: 'object', properties: { a: true } } }
  const list = { name: 'l', outputSchema: { type: 'array', items: { type: 'number' } } }
  const none = { name: 'n', inputSchema: { type: 'object' } }
  const tools = [object, list, none, 'what?']
  opened.tool.answer(await opened.tool.next('tools/list'), { resultType: 'complete', tools })
  const properties = { result: list.outputSchema }
  const wrapped = { type: 'object', properties, required: ['result'] }
  assert.deepEqual((await answer).result, {
    tools: [object, { name: 'l', outputSchema: wrapped }, none, 'what?'],
  })
})

test('what is nested too deeply to be written again is the fault of the tool', async () => {
  const opened = await open()
  const { answer } = call(opened, session(), CALL)
  const { id } = await opened.tool.next('tools/call')
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  opened.tool.line(`{"jsonrpc":"2.0","id":${id},"result":{"x":${deep}}}`)
  await assert.rejects(answer, { code: 'tool_misbehaved' })
})
