import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { type ModernOptions, modern, modernRequest, modernStream } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, errorOf, type Json, openSession, resultOf, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const says = (text: string) => `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
const say = fn({ description: 'Says it.', input: z.object({}), run: () => '${text}' })
export default defineTool({ description: 'Says one thing.', runtime: inline({ say }) })
`
const common = { limits: { calls: 100_000, per: '1s' } }
const tools = {
  modern: { command: fixture('modern-echo'), mode: 'daemon', ...common },
  legacy: { command: fixture('echo'), mode: 'daemon', ...common },
  everything: { command: fixture('everything', 'modern'), mode: 'daemon', ...common },
  counts: { command: fixture('counts-calls'), mode: 'daemon', ...common },
  inline: says('hi'),
}
const gateway = await startGateway(
  { after },
  { tools, config: { origins: ['https://page.example'] } },
)
const url = (tool: string) => `${gateway.url}/mcp/${tool}`
const BOTH = ['modern', 'legacy', 'inline'] as const
const FUNCTION = { modern: 'echo', legacy: 'echo', inline: 'say' }

for (const tool of BOTH) {
  test(`a ${tool} tool is discovered, listed and called, without a session`, async () => {
    const discovered = await modern(url(tool), 'server/discover')
    assert.equal(discovered.status, 200)
    const { supportedVersions, capabilities, cacheScope, ttlMs, _meta } = resultOf(
      discovered.json(),
    )
    assert.deepEqual(supportedVersions, ['2026-07-28'])
    assert.ok(Object(capabilities).tools)
    assert.ok(['public', 'private'].includes(String(cacheScope)))
    assert.ok(Number.isInteger(ttlMs))
    assert.ok(Object(_meta)['io.modelcontextprotocol/serverInfo'].name)
    const listed = await modern(url(tool), 'tools/list')
    assert.equal(listed.status, 200)
    assert.ok(Array.isArray(resultOf(listed.json()).tools))
    const call = { name: FUNCTION[tool], arguments: {} }
    const called = await modern(url(tool), 'tools/call', call, { id: 'c' })
    assert.equal(called.status, 200)
    assert.equal(called.json().id, 'c')
    assert.equal(resultOf(called.json()).resultType, 'complete')
    for (const { headers } of [discovered, listed, called]) {
      assert.equal(headers['mcp-session-id'], undefined)
      assert.equal(headers['x-mcp-tool'], tool)
      assert.ok(headers['x-mcp-runtime'])
      assert.ok(headers['x-request-id'])
      assert.equal(headers['x-content-type-options'], 'nosniff')
    }
  })

  test(`a ${tool} tool is not asked where a header differs from the body`, async () => {
    const call = { name: FUNCTION[tool], arguments: {} }
    const wrong: Record<string, string>[] = [
      { 'mcp-method': 'tools/list' },
      { 'mcp-method': 'TOOLS/CALL' },
      { 'mcp-name': 'another' },
      { 'mcp-name': '=?base64?%%%?=' },
      { 'mcp-protocol-version': '2025-11-25' },
    ]
    for (const headers of wrong) {
      const reply = await modern(url(tool), 'tools/call', call, { headers, id: 9 })
      assert.equal(reply.status, 400, reply.text)
      assert.equal(errorOf(reply.json()).code, -32020)
      assert.equal(reply.json().id, 9)
    }
    for (const missing of ['mcp-method', 'mcp-name', 'mcp-protocol-version']) {
      const { headers, body } = modernRequest('tools/call', call)
      const { [missing]: _missing, ...rest } = headers as Record<string, string>
      const reply = await raw(url(tool), { headers: rest, body })
      assert.equal(reply.status, 400)
      assert.equal(errorOf(reply.json()).code, -32020)
    }
    const encoded = `=?base64?${Buffer.from(FUNCTION[tool]).toString('base64')}?=`
    const right = await modern(url(tool), 'tools/call', call, { headers: { 'mcp-name': encoded } })
    assert.equal(right.status, 200)
  })

  test(`a ${tool} tool is never asked for a method that is no more`, async () => {
    for (const method of [
      'initialize',
      'ping',
      'logging/setLevel',
      'resources/subscribe',
      'resources/unsubscribe',
      'notifications/initialized',
      'unknown/method',
    ]) {
      const reply = await modern(url(tool), method, {}, { id: 'm' })
      assert.equal(reply.status, 404, `${method}: ${reply.text}`)
      assert.equal(errorOf(reply.json()).code, -32601)
      assert.equal(reply.json().id, 'm')
    }
  })
}

test('a header that is sent twice is refused, though Node joins the two', async () => {
  const { headers, body } = modernRequest('tools/call', { name: 'a, b', arguments: {} })
  const twice = { ...headers, 'mcp-name': ['a', 'b'] as unknown as string }
  const reply = await raw(url('modern'), { headers: twice, body })
  assert.equal(reply.status, 400)
  assert.equal(errorOf(reply.json()).code, -32020)
})

test('what a request must say of itself is asked for, whatever its header says', async () => {
  const meta = (entries: Json): ModernOptions => ({ meta: entries, id: 5 })
  for (const options of [
    meta({ 'io.modelcontextprotocol/clientCapabilities': undefined }),
    meta({ 'io.modelcontextprotocol/clientCapabilities': [] }),
    meta({ 'io.modelcontextprotocol/protocolVersion': 20260728 }),
    meta({ 'io.modelcontextprotocol/protocolVersion': undefined }),
  ]) {
    const reply = await modern(url('legacy'), 'tools/list', {}, options)
    assert.equal(reply.status, 400)
    assert.equal(errorOf(reply.json()).code, -32602)
    assert.equal(reply.json().id, 5)
  }
  const unsupported = await modern(
    url('legacy'),
    'tools/list',
    {},
    {
      meta: { 'io.modelcontextprotocol/protocolVersion': '1900-01-01' },
      headers: { 'mcp-protocol-version': '1900-01-01' },
    },
  )
  assert.equal(unsupported.status, 400)
  const { code, data } = errorOf(unsupported.json())
  assert.deepEqual([code, data], [-32022, { supported: ['2026-07-28'], requested: '1900-01-01' }])
})

test('arguments that a schema mirrors in headers are compared with them', async () => {
  const call = {
    name: 'test_x_mcp_header',
    arguments: { region: 'eu', priority: 3, target: { zone: 'ü' } },
  }
  const right = {
    'mcp-param-region': 'eu',
    'mcp-param-priority': '3.0',
    'mcp-param-zone': '=?base64?w7w=?=',
  }
  const passed = await modern(url('everything'), 'tools/call', call, { headers: right })
  assert.equal(passed.status, 200, passed.text)
  assert.deepEqual(JSON.parse(textOf(passed.json())), call.arguments)
  for (const wrong of [
    { 'mcp-param-region': 'us' },
    { 'mcp-param-priority': '4' },
    { 'mcp-param-zone': '=?base64?w7w?=' },
    { 'mcp-param-dry-run': 'true' },
  ]) {
    const reply = await modern(url('everything'), 'tools/call', call, {
      headers: { ...right, ...wrong },
    })
    assert.equal(reply.status, 400, reply.text)
    assert.equal(errorOf(reply.json()).code, -32020)
  }
})

test('a session of another era is not looked at, and goes on beside', async () => {
  const session = await openSession(url('legacy'))
  const headers = { 'mcp-session-id': session.id, 'last-event-id': '1-1' }
  const reply = await modern(url('legacy'), 'tools/list', {}, { headers })
  assert.equal(reply.status, 200)
  assert.equal(resultOf(reply.json()).resultType, 'complete')
  assert.equal(reply.headers['mcp-session-id'], undefined)
  const unknown = await modern(
    url('legacy'),
    'tools/list',
    {},
    { headers: { 'mcp-session-id': 'x' } },
  )
  assert.equal(unknown.status, 200)
  assert.equal(await session.callText('echo', { a: 1 }), '{"a":1}')
  await session.end()
})

test('a modern request is served by the newest version, whatever session it names', async () => {
  gateway.tools.write('edited', says('old'))
  const answers = async (headers = {}) => {
    const reply = await modern(
      url('edited'),
      'tools/call',
      { name: 'say', arguments: {} },
      { headers },
    )
    return reply.status === 200 ? textOf(reply.json()) : String(reply.status)
  }
  await until('the first version', async () => (await answers()) === 'old')
  const session = await openSession(url('edited'))
  gateway.tools.write('edited', says('new'))
  await until('the second version', async () => (await answers()) === 'new')
  assert.equal(await answers({ 'mcp-session-id': session.id }), 'new')
  assert.equal(await session.callText('say'), 'old')
  await session.end()
})

test('GET and DELETE are not allowed, batches and responses are refused, notifications dropped', async () => {
  const version = { 'mcp-protocol-version': '2026-07-28' }
  for (const method of ['GET', 'DELETE']) {
    const headers = { ...version, accept: 'text/event-stream' }
    const reply = await raw(url('modern'), { method, headers })
    assert.equal(reply.status, 405)
    assert.equal(reply.headers.allow, 'POST')
  }
  const { headers, body } = modernRequest('tools/list')
  assert.equal((await raw(url('modern'), { headers, body: [body] })).status, 400)
  const post = (message: Json) =>
    raw(url('modern'), {
      headers: { ...version, accept: ACCEPT },
      body: { jsonrpc: '2.0', ...message },
    })
  assert.equal((await post({ id: 1, result: {} })).status, 400)
  assert.equal(
    (await post({ method: 'notifications/cancelled', params: { requestId: 1 } })).status,
    202,
  )
})

test("another tool's function is out of scope", async () => {
  await modern(url('counts'), 'server/discover')
  const reply = await modern(
    url('legacy'),
    'tools/call',
    { name: 'count', arguments: {} },
    { id: 2 },
  )
  assert.equal(errorOf(reply.json()).code, -32011)
  assert.equal(reply.json().id, 2)
})

test('a client that goes away cancels its call', async () => {
  const call = { name: 'wait', arguments: {} }
  const stream = await modernStream(url('modern'), 'tools/call', call, {
    meta: { progressToken: 'p' },
  })
  await stream.waitFor('the beginning', ({ data }) => data.includes('notifications/progress'))
  stream.abort()
  await gateway.waitForLog(
    'the cancel',
    ({ tool, line }) => tool === 'modern' && line === 'cancelled',
  )
})

test('progress comes on the stream of its call, under its own token', async () => {
  const call = { name: 'progress', arguments: { steps: 2 } }
  const reply = await modern(url('modern'), 'tools/call', call, {
    meta: { progressToken: 7 },
    id: 8,
  })
  assert.equal(reply.headers['content-type'], 'text/event-stream')
  assert.equal(reply.headers['x-accel-buffering'], 'no')
  const messages = reply.events.map(({ data }) => JSON.parse(data))
  assert.deepEqual(
    messages.map(({ method, params, id }) => params?.progressToken ?? method ?? id),
    [7, 7, 8],
  )
  assert.ok(reply.events.every(({ id }) => id === undefined))
})

test('a discovery is a request as any other: it is counted, logged and refused', async () => {
  await modern(url('modern'), 'server/discover', {}, { headers: { 'x-request-id': 'discover-me' } })
  const line = await gateway.waitForLog(
    'the discovery',
    ({ requestId }) => requestId === 'discover-me',
  )
  const { tool, entrance, method, outcome } = line
  assert.deepEqual([tool, entrance, method, outcome], ['modern', 'modern', 'server/discover', 'ok'])
  const unknown = await modern(url('nothing'), 'server/discover')
  assert.equal(unknown.status, 404)
})

test('a page of an allowed origin may send the headers that mirror', async () => {
  const preflight = (origin: string, asks: string) =>
    raw(url('modern'), {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': asks,
      },
    })
  const asks = 'content-type, mcp-name, mcp-param-region, Mcp-Param-Dry-Run, x-evil, mcp-bad name'
  const allowed = await preflight('https://page.example', asks)
  const names = String(allowed.headers['access-control-allow-headers']).split(', ')
  for (const name of ['Mcp-Method', 'Mcp-Name', 'MCP-Protocol-Version', 'mcp-param-region']) {
    assert.ok(names.includes(name), name)
  }
  assert.ok(names.includes('Mcp-Param-Dry-Run'))
  assert.ok(!names.some((name) => name.includes('evil') || name.includes('bad')))
  assert.match(String(allowed.headers.vary), /Access-Control-Request-Headers/)
  const stranger = await preflight('https://evil.example', asks)
  assert.equal(stranger.headers['access-control-allow-headers'], undefined)
  const headers = { origin: 'https://evil.example' }
  assert.equal((await modern(url('modern'), 'tools/list', {}, { headers })).status, 403)
  const shown = await modern(
    url('modern'),
    'tools/list',
    {},
    { headers: { origin: 'https://page.example' } },
  )
  assert.equal(shown.headers['access-control-allow-origin'], 'https://page.example')
})

const hash = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`
const KEYS = ['ada', 'bob'].map((id) => ({
  id,
  hash: hash(id),
  scopes: id === 'ada' ? ['math'] : [],
}))

test('with keys, strangers are refused and nothing is for shared caches', async (t) => {
  const scoped = { ...tools.modern, access: { scopes: ['math'] } }
  const guarded = await startGateway(t, {
    tools: { open: tools.modern, scoped },
    config: { keys: KEYS },
  })
  const asks = (tool: string, key?: string) =>
    modern(
      `${guarded.url}/mcp/${tool}`,
      'server/discover',
      {},
      {
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      },
    )
  assert.equal((await asks('open')).status, 401)
  assert.equal((await asks('open', 'eve')).status, 401)
  assert.equal((await asks('scoped', 'bob')).status, 403)
  assert.equal((await asks('scoped', 'ada')).status, 200)
  for (const [method, params] of [
    ['server/discover', {}],
    ['tools/list', {}],
    ['prompts/list', {}],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['resources/read', { uri: 'test://note' }],
  ] as const) {
    const headers = { authorization: 'Bearer ada' }
    const reply = await modern(`${guarded.url}/mcp/open`, method, params, { headers })
    assert.equal(resultOf(reply.json()).cacheScope, 'private', method)
  }
})

test('a state is of the caller and the request it was given for', async (t) => {
  const guarded = await startGateway(t, {
    tools: { modern: tools.modern },
    config: { keys: KEYS },
  })
  const call = (tool: string, key: string, params: Json) =>
    modern(`${guarded.url}/mcp/${tool}`, 'tools/call', params, {
      headers: { authorization: `Bearer ${key}` },
      capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} },
    })
  const ask = { name: 'ask', arguments: { rounds: 1 } }
  const first = resultOf((await call('modern', 'ada', ask)).json())
  assert.equal(first.resultType, 'input_required')
  const inputResponses = { name: { action: 'accept', content: { name: 'Ada' } } }
  const retry = { ...ask, inputResponses, requestState: first.requestState }
  const refused = [
    await call('modern', 'bob', retry),
    await call('modern', 'ada', { ...retry, arguments: { rounds: 2 } }),
    await call('modern', 'ada', { ...retry, requestState: `${first.requestState}-TAMPERED` }),
    await call('modern', 'ada', { ...retry, requestState: '["Eve"] ' }),
    await call('modern', 'ada', { ...retry, inputResponses: [] }),
  ]
  for (const reply of refused) {
    assert.equal(reply.status, 200)
    assert.equal(errorOf(reply.json()).code, -32602)
  }
  assert.equal(textOf((await call('modern', 'ada', retry)).json()), 'Ada')
})

test('a call of a legacy tool waits here, for its own caller, between two requests', async (t) => {
  const asks = { command: fixture('asks'), ...common }
  const guarded = await startGateway(t, { tools: { asks }, config: { keys: KEYS } })
  const call = (key: string, params: Json, id: number) =>
    modern(`${guarded.url}/mcp/asks`, 'tools/call', params, {
      headers: { authorization: `Bearer ${key}` },
      capabilities: { elicitation: { form: {} } },
      id,
    })
  const question = { message: 'Who?', requestedSchema: { type: 'object', properties: {} } }
  const ask = { name: 'ask', arguments: { method: 'elicitation/create', params: question } }
  const first = resultOf((await call('ada', ask, 1)).json())
  assert.equal(first.resultType, 'input_required')
  const [[key = '', request] = []] = Object.entries(Object(first.inputRequests))
  assert.equal(Object(request).method, 'elicitation/create')
  const { requestState } = first
  const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } } }
  const stranger = await call('bob', { ...ask, requestState, inputResponses }, 2)
  assert.equal(errorOf(stranger.json()).code, -32602)
  // What is not answered is asked again.
  const again = resultOf((await call('ada', { ...ask, requestState }, 3)).json())
  assert.deepEqual(again.inputRequests, first.inputRequests)
  const retry = { ...ask, requestState: again.requestState, inputResponses }
  const last = await call('ada', retry, 4)
  assert.equal(last.json().id, 4)
  assert.deepEqual(JSON.parse(textOf(last.json())), inputResponses[key])
})
