import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import supertest from 'supertest'
import { listNames } from '../../src/inbound/aggregate/names.ts'
import { addCalculator, addTool, declare, type House, inputOf, openHouse, result } from './house.ts'

let house: House
const open = { type: 'object' }
before(async () => {
  house = await openHouse()
  addCalculator(house)
  addTool(house, 'one', [
    { name: 'say.it', inputSchema: open },
    { name: 'same', inputSchema: open },
  ])
  addTool(house, 'two', [{ name: 'same', inputSchema: open }])
  house.behaviours.set('one/say.it', (call) => result(call, { content: [inputOf(call)] }))
})
after(() => house.close())
const ask = () => supertest(house.url)
const invoke = (body: object) => ask().post('/mcp/invoke').send(body)

test('The catalogue shows every tool with its state', async () => {
  const { body } = await ask().get('/v1/tools').expect(200)
  assert.deepEqual(body.tools[0], {
    name: 'calculator',
    description: 'The calculator.',
    tags: ['sample'],
    runtime: 'command',
    mode: 'daemon',
    state: 'ready',
    sandbox: 'none',
    instances: 2,
    sessions: 1,
    version: 'v1',
    functions: ['calculate'],
    mcp: { streamable: '/mcp/calculator', sse: '/mcp/calculator/sse' },
    url: '/v1/tools/calculator',
  })
})

test('A file with a mistake shows where it is and what was expected', async () => {
  const error = {
    file: '/tools/bad.ts',
    line: 3,
    column: 1,
    path: 'policy.network',
    message: 'No.',
    expected: 'none',
  }
  house.entries.set('bad', { name: 'bad', file: '/tools/bad.ts', state: 'broken', error })
  const { body } = await ask().get('/v1/tools/bad').expect(200)
  assert.equal(body.state, 'broken')
  assert.equal(body.sandbox, 'missing')
  assert.deepEqual(body.lastError, error)
  house.entries.set('bad', {
    name: 'bad',
    file: '/tools/bad.ts',
    state: 'broken',
    error,
    declaration: declare('bad'),
  })
  assert.equal((await ask().get('/v1/tools/bad').expect(200)).body.version, 'v1')
  house.entries.delete('bad')
})

test('A tool that is being learned, or failed, says so', async () => {
  house.entries.set('new', { name: 'new', file: 'f', state: 'ready', declaration: declare('new') })
  assert.equal((await ask().get('/v1/tools/new')).body.state, 'learning')
  house.learned.set('new', { state: 'failed', error: 'exit code 3', at: 0 })
  const { body } = await ask().get('/v1/tools/new')
  assert.equal(body.state, 'failed')
  assert.deepEqual(body.lastError, { message: 'exit code 3' })
  house.entries.delete('new')
})

test('One tool is shown with the schemas of its functions', async () => {
  const { body } = await ask().get('/v1/tools/calculator').expect(200)
  assert.equal(body.timeout, 1_000)
  assert.equal(body.functions[0].url, '/v1/tools/calculator/calculate')
  assert.deepEqual(body.running, [
    {
      id: 'a.1',
      since: '1970-01-01T00:00:00.000Z',
      usage: { cpu: 10, memory: 2048, read: 5, written: null },
    },
    { id: 'a.2', since: '1970-01-01T00:00:00.001Z', usage: null },
  ])
  assert.deepEqual(body.functions[0].inputSchema.required, ['operator', 'operands'])
  assert.equal((await ask().get('/v1/tools/nothing').expect(404)).body.code, 'unknown_tool')
})

test('A tool that the caller may not see is in no list, no document and no search', async () => {
  house.hidden.add('two')
  const { body } = await ask().get('/v1/tools')
  assert.deepEqual(
    body.tools.map((tool: { name: string }) => tool.name),
    ['calculator', 'one'],
  )
  for (const hidden of [
    await ask().get('/v1/tools/two').expect(403),
    await ask().post('/v1/tools/two/same').send({}).expect(403),
    await invoke({ tool_name: 'two__same' }).expect(403),
  ]) {
    assert.doesNotMatch(hidden.text, /The two|command|schema/i)
    assert.equal(hidden.get('X-MCP-Runtime'), undefined)
  }
  assert.equal((await ask().get('/openapi.json')).body.paths['/v1/tools/two/same'], undefined)
  house.behaviours.set('one/same', (call) => result(call, { content: [] }))
  await invoke({ tool_name: 'same' }).expect(200)
  house.hidden.delete('two')
})

test('Invoke finds a function by both names, by dots and underscores', async () => {
  for (const name of ['one__say.it', 'one__say_it', 'say.it']) {
    const { body } = await invoke({ tool_name: name, arguments: { a: 1 } }).expect(200)
    assert.deepEqual(body.content, [{ a: 1 }])
  }
})

test('Invoke takes every name that /mcp lists, a shortened one too', async () => {
  const long = 'say'.repeat(30)
  addTool(house, 'talker', [{ name: long, inputSchema: open }])
  house.behaviours.set(`talker/${long}`, (call) => result(call, { content: [inputOf(call)] }))
  const [name = ''] = listNames([{ tool: 'talker', name: long }]).keys()
  assert.equal(name.length, 64)
  const { body } = await invoke({ tool_name: name, arguments: { a: 1 } }).expect(200)
  assert.deepEqual(body.content, [{ a: 1 }])
  house.entries.delete('talker')
})

test('Invoke names the candidates of a name that two tools have', async () => {
  const { body } = await invoke({ tool_name: 'same' }).expect(409)
  assert.deepEqual(body.candidates, ['one__same', 'two__same'])
})

test('Invoke without a name is refused by the contract', async () => {
  const { body } = await invoke({ arguments: {} }).expect(400)
  assert.equal(body.errors[0].path, '/body/tool_name')
  await invoke({ tool_name: 'nowhere' }).expect(404)
  await invoke({ tool_name: 'calculator__calculate' }).expect(400)
})

test('An unknown route is 404 and a wrong method is 405 with Allow', async () => {
  const missing = await ask().get('/nothing').expect(404)
  assert.equal(missing.type, 'application/problem+json')
  const wrong = await ask().get('/v1/tools/calculator/calculate').expect(405)
  assert.equal(wrong.get('Allow'), 'POST')
  assert.equal((await ask().delete('/v1/tools').expect(405)).get('Allow'), 'GET, HEAD')
})

test('OPTIONS tells what a route allows, and knows no route that is not there', async () => {
  const told = async (path: string) => (await ask().options(path).expect(204)).get('Allow')
  assert.equal(await told('/v1/tools'), 'GET, HEAD, OPTIONS')
  assert.equal(await told('/v1/tools/one'), 'GET, HEAD, OPTIONS')
  assert.equal(await told('/v1/tools/one/same'), 'POST, OPTIONS')
  assert.equal(await told('/mcp/invoke'), 'POST, OPTIONS')
  assert.equal(await told('/openapi.json?x=1'), 'GET, HEAD, OPTIONS')
  for (const path of ['/nothing', '/v1/tools/a/b/c', '/openapixjson']) {
    await ask().options(path).expect(404)
  }
})

test('Where nothing is, one is told where to look', async () => {
  assert.match((await ask().get('/').expect(404)).body.detail, /See \/docs/)
})

test('An unknown tool is named, with what was probably meant and may be seen', async () => {
  const detail = async (name: string) => (await ask().get(`/v1/tools/${name}`)).body.detail
  assert.equal(
    await detail('calculater'),
    'There is no tool "calculater". Did you mean "calculator"? See GET /v1/tools.',
  )
  house.hidden.add('calculator')
  assert.equal(await detail('calculater'), 'There is no tool "calculater". See GET /v1/tools.')
  house.hidden.delete('calculator')
})

test('A name that no tool can have is refused in words', async () => {
  const { body } = await ask().get('/v1/tools/a__b').expect(400)
  assert.deepEqual(body.errors, [
    {
      path: '/params/tool',
      message: 'is no name of a tool',
      expected: '1 to 64 of A-Z, a-z, 0-9, _ and -, without "__"',
    },
  ])
})

test('Invoke names what it does not find, cut where it is long', async () => {
  const detail = async (name: string) => (await invoke({ tool_name: name }).expect(404)).body.detail
  assert.match(await detail('say.id'), /^No tool has a function "say.id". Did you mean "say.it"/)
  assert.match(await detail('calculator__calculat'), /has no function "calculat". Did you mean/)
  assert.match(await detail('x'.repeat(512)), /^No tool has a function "x{64}…"\. See/)
})

test('Mistakes of an invocation are told where they stand in the request', async () => {
  const input = { operator: 'add', operands: ['1', 2] }
  const { body } = await invoke({ tool_name: 'calculate', arguments: input }).expect(400)
  assert.equal(body.errors[0].path, '/body/arguments/operands/1')
  assert.match(body.detail, /^\/body\/arguments\/operands\/1 must be string/)
})

test('HEAD is answered as GET without a body', async () => {
  const answer = await ask().head('/v1/tools').expect(200)
  assert.equal(answer.text, undefined)
})

test('A page of an allowed origin may ask and read; another may not', async () => {
  const preflight = (origin: string) =>
    ask()
      .options('/v1/tools/one/same')
      .set('Origin', origin)
      .set('Access-Control-Request-Method', 'POST')
  const yes = await preflight('https://page.example').expect(204)
  assert.equal(yes.get('Access-Control-Allow-Origin'), 'https://page.example')
  assert.match(yes.get('Access-Control-Allow-Headers') ?? '', /Content-Type/)
  const no = await preflight('https://other.example').expect(204)
  assert.equal(no.get('Access-Control-Allow-Origin'), undefined)
  const read = await ask().get('/v1/tools').set('Origin', 'https://page.example')
  assert.equal(read.get('Access-Control-Allow-Origin'), 'https://page.example')
})

test('The live document has one typed operation for each function', async () => {
  const { body } = await ask().get('/openapi.json').expect(200)
  assert.equal(body.openapi, '3.1.0')
  const operation = body.paths['/v1/tools/calculator/calculate'].post
  assert.equal(operation.operationId, 'calculator__calculate')
  const yaml = await ask().get('/openapi.yaml').expect(200)
  assert.equal(yaml.type, 'application/yaml')
  assert.match(yaml.text, /operationId: calculator__calculate/)
})

test('A new tool is in the next document, and a tool being learned is named as missing', async () => {
  addTool(house, 'fresh', [{ name: 'go', inputSchema: open }])
  house.entries.set('slow', {
    name: 'slow',
    file: 'f',
    state: 'ready',
    declaration: declare('slow'),
  })
  const { body } = await ask().get('/openapi.json')
  assert.ok(body.paths['/v1/tools/fresh/go'])
  assert.deepEqual(body.info['x-toolgate-learning'], ['slow'])
  house.entries.delete('fresh')
  house.entries.delete('slow')
})

test('Health tells alive, ready and the detail', async () => {
  await ask().get('/healthz').expect(200, { status: 'alive' })
  await ask().get('/ready').expect(200, { status: 'ready' })
  assert.equal((await ask().get('/health').expect(200)).body.version, '0.1.0')
  const well = house.health.now
  house.health.now = {
    ...well,
    components: { store: { status: 'down', needed: true, detail: 'no disk' } },
  }
  const down = await ask().get('/ready').expect(503)
  assert.deepEqual(down.body.reasons, ['store is down: no disk'])
  assert.equal(down.get('Retry-After'), '1')
  house.health.now = { ...well, reasons: ['shutting down'] }
  assert.match((await ask().get('/ready').expect(503)).body.detail, /shutting down/)
  assert.equal((await ask().get('/health').expect(503)).body.status, 'unavailable')
  await ask().get('/healthz').expect(200)
  house.health.now = well
})

test('Forms of the Content-Type do not add up in the validator', async () => {
  for (const form of [
    'application/json; a=1',
    'application/json; b=2',
    'Application/JSON',
    'application/vnd.x+json',
  ]) {
    await ask()
      .post('/mcp/invoke')
      .set('Content-Type', form)
      .send('{"tool_name":"say.it"}')
      .expect(200)
  }
})
