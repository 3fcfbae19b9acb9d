import assert from 'node:assert/strict'
import { test } from 'node:test'
import { META } from '../../../src/protocol/meta.ts'
import {
  CLIENT,
  call,
  failure,
  linkOf,
  modern,
  type Opened,
  open,
  paramsOf,
  SERVER,
} from './given.ts'

const CALL = { method: 'tools/call', params: { name: 'echo', _meta: CLIENT } }
const BY = { _meta: { [META.serverInfo]: SERVER } }

test('a tool is offered what its clients can answer, as its era writes it', async () => {
  const capabilities = {
    elicitation: { form: {} },
    sampling: { tools: {} },
    roots: { listChanged: true },
    tasks: { list: {} },
    extensions: { 'io.modelcontextprotocol/ui': {} },
  }
  const { initialize } = await open({ capabilities })
  assert.deepEqual(paramsOf(initialize).capabilities, {
    elicitation: { form: {} },
    sampling: { tools: {} },
    roots: {},
    extensions: { 'io.modelcontextprotocol/ui': {} },
  })
  assert.deepEqual(paramsOf((await open()).initialize).capabilities, {})
})

test('a child of our own is told to mark what it sends', async () => {
  const { initialize } = await open({ correlated: true })
  const marks = { experimental: { 'toolgate/callId': {} } }
  assert.deepEqual(paramsOf(initialize).capabilities, marks)
})

test('what only a modern tool knows is taken away, and nothing else', async () => {
  const opened = await open()
  const meta = { ...CLIENT, [META.logLevel]: 'info', traceparent: '00-a', 'com.example/k': 1 }
  const params = `"_meta":${JSON.stringify({ ...meta, progressToken: 'p' })},"n":1.50`
  const retried = `${params},"inputResponses":{"url-1":{"action":"accept"}},"requestState":"s"`
  for (const [id, text] of [params, retried].entries()) {
    void call(opened, modern(), `{"jsonrpc":"2.0","id":${id},"method":"x/y","params":{${text}}}`)
    const sent = await opened.tool.next('x/y')
    assert.ok(opened.tool.lastLine.includes('"n":1.50'), opened.tool.lastLine)
    const _meta = { traceparent: '00-a', 'com.example/k': 1, progressToken: sent.id }
    assert.deepEqual(paramsOf(sent), { _meta, n: 1.5 })
  }
})

test('progress keeps its digits, and comes under the client’s own token', async () => {
  const opened = await open()
  const told: string[] = []
  const params = { name: 'echo', _meta: { ...CLIENT, progressToken: 'p' } }
  const given = call(opened, modern(), { method: 'tools/call', params })
  given.notify = ({ bytes }) => void told.push(Buffer.from(bytes).toString())
  const { id } = await opened.tool.next('tools/call')
  const said = '"progress":12345678901234567890,"total":1e20,"x":1.50'
  const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":'
  opened.tool.line(`${progress}{"progressToken":${id},${said}}}`)
  assert.deepEqual(told, [`${progress}{"progressToken":"p",${said}}}`])
})

test('a legacy client’s request keeps what it says', async () => {
  const opened = await open()
  void call(opened, linkOf({ era: 'legacy' }), {
    ...CALL,
    params: { ...CALL.params, requestState: 's' },
  })
  const sent = await opened.tool.next('tools/call')
  assert.deepEqual(paramsOf(sent), { ...CALL.params, requestState: 's' })
})

test('a result says that it is complete and by whom, and no byte of it changes', async () => {
  const opened = await open()
  const answered = call(opened, modern(), { ...CALL, id: 'a' })
  const { id } = await opened.tool.next('tools/call')
  const inside = '"content":[],"structuredContent":{"n":1.500e400,"s":"\\u00e9"}'
  opened.tool.line(`{"jsonrpc":"2.0","id":${id},"result":{${inside}}}`)
  const ours = `"resultType":"complete","_meta":{"${META.serverInfo}":${JSON.stringify(SERVER)}}`
  assert.equal(await answered.text, `{"jsonrpc":"2.0","result":{${ours},${inside}},"id":"a"}`)
})

test('lists and resources say that they are private and old at once', async () => {
  const opened = await open()
  const { tool } = opened
  for (const what of ['tools', 'prompts', 'resources', 'resources/templates']) {
    const listed = call(opened, modern(), { method: `${what}/list`, params: { _meta: CLIENT } })
    tool.answer(await tool.next(`${what}/list`), { [what]: [], _meta: { own: 1 } })
    assert.deepEqual((await listed.answer).result, {
      [what]: [],
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { own: 1, ...BY._meta },
    })
  }
  const read = call(opened, modern(), { method: 'resources/read', params: { uri: 'a:b' } })
  tool.answer(await tool.next('resources/read'), {})
  const result = { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...BY }
  assert.deepEqual((await read.answer).result, result)
  const got = call(opened, modern(), { method: 'prompts/get', params: { name: 'a' } })
  tool.answer(await tool.next('prompts/get'), {})
  assert.deepEqual((await got.answer).result, { resultType: 'complete', ...BY })
})

async function refusedWith(opened: Opened, error: object, link = modern()) {
  const refused = call(opened, link, CALL)
  opened.tool.say({ id: (await opened.tool.next('tools/call')).id, error })
  return refused
}

test('a code that is gone becomes its successor; others, and legacy clients, see what was said', async () => {
  const opened = await open()
  const missing = { code: -32002, message: 'no such thing', data: { uri: 'a:b' } }
  const { error } = await (await refusedWith(opened, missing)).answer
  assert.deepEqual(error, { ...missing, code: -32602 })
  const legacy = await refusedWith(opened, missing, linkOf({ era: 'legacy' }))
  assert.deepEqual((await legacy.answer).error, missing)
  const other = { code: -32001, message: 'it timed out' }
  assert.deepEqual((await (await refusedWith(opened, other)).answer).error, other)
})

const URL = { mode: 'url', url: 'https://a.example/1', message: 'Open it.', elicitationId: 'e' }
const NEEDED = { code: -32042, message: 'Open them.', data: { elicitations: [URL, URL] } }

test('urls that have to be opened first become input that is asked for', async () => {
  const opened = await open()
  const capable = modern({ capabilities: { elicitation: { url: {} } } })
  const { result } = await (await refusedWith(opened, NEEDED, capable)).answer
  const { elicitationId: _id, ...params } = URL
  const request = { method: 'elicitation/create', params }
  assert.deepEqual(result, {
    resultType: 'input_required',
    inputRequests: { 'url-1': request, 'url-2': request },
    ...BY,
  })
})

test('a client that cannot open urls is told what it would need', async () => {
  const opened = await open()
  for (const elicitation of [undefined, {}, { form: {} }]) {
    const refused = await refusedWith(opened, NEEDED, modern({ capabilities: { elicitation } }))
    const { code, data } = await failure(refused.answer)
    assert.equal(code, 'missing_capability')
    assert.deepEqual(data?.requiredCapabilities, { elicitation: { url: {} } })
  }
})

test('the same error without a url is only an error', async () => {
  const opened = await open()
  for (const data of [undefined, {}, { elicitations: [] }, { elicitations: [{ url: 1 }, null] }]) {
    const refused = await refusedWith(opened, { code: -32042, message: 'Odd.', data })
    assert.deepEqual((await refused.answer).error, {
      code: -32603,
      message: 'Odd.',
      ...(data && { data }),
    })
  }
})

test('a client that goes away cancels its call', async () => {
  const opened = await open()
  const left = call(opened, modern(), CALL)
  const { id } = await opened.tool.next('tools/call')
  opened.connection.cancel(left, new Error('The caller left.'))
  const told = await opened.tool.next('notifications/cancelled')
  assert.deepEqual(told.params, { requestId: id, reason: 'The caller left.' })
  await assert.rejects(left.answer, { message: 'The caller left.' })
})
