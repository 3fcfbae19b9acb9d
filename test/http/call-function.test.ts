import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import supertest from 'supertest'
import { ToolgateError } from '../../src/errors.ts'
import { holdUnsent } from '../../src/inbound/unsent.ts'
import { errorMessage } from '../../src/protocol/read.ts'
import { addCalculator, addTool, declare, type House, inputOf, openHouse, result } from './house.ts'

let house: House
const sum = { operator: 'add', operands: ['1', '2'] }
const open = { type: 'object' }

before(async () => {
  house = await openHouse()
  addCalculator(house)
  addTool(
    house,
    'box',
    ['free', 'sad', 'rpc', 'slow', 'gone', 'boom', 'odd', 'a.b'].map((name) => ({
      name,
      inputSchema: open,
    })),
  )
})
after(() => house.close())

const post = (path: string, body?: object) => {
  const asked = supertest(house.url).post(path)
  return body === undefined ? asked : asked.send(body)
}

test('A call answers with the structured content and the headers of its tool', async () => {
  const answer = await post('/v1/tools/calculator/calculate', sum).expect(200)
  assert.deepEqual(answer.body, { result: '3' })
  assert.equal(answer.get('X-MCP-Tool'), 'calculator')
  assert.equal(answer.get('X-MCP-Runtime'), 'command')
  assert.equal(answer.get('X-MCP-Timeout'), '1000ms')
  assert.equal(answer.get('Cache-Control'), 'no-store')
  assert.deepEqual(house.waist.slice(-2), ['open calculator', 'close calculator done'])
})

test('A function without an output schema answers with its content', async () => {
  const content = [{ type: 'text', text: 'hello' }]
  house.behaviours.set('box/free', (call) => result(call, { content, _meta: { secret: 1 } }))
  const answer = await post('/v1/tools/box/free', {}).expect(200)
  assert.deepEqual(answer.body, { content })
})

test('No body is an empty input', async () => {
  house.behaviours.set('box/free', (call) => result(call, { content: [inputOf(call)] }))
  const answer = await post('/v1/tools/box/free').expect(200)
  assert.deepEqual(answer.body.content, [{}])
})

test('Numbers reach the tool, and come back, as they were written', async () => {
  let seen = ''
  house.behaviours.set('box/free', (call) => {
    seen = Buffer.from(call.request.bytes).toString()
    const bytes = Buffer.from(
      '{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"n":12345678901234567891}}}',
    )
    return { bytes, kind: 'result', id: 1, json: () => JSON.parse(bytes.toString()) }
  })
  const answer = await post('/v1/tools/box/free')
    .type('json')
    .send('{"n":12345678901234567890}')
    .expect(200)
  assert.match(seen, /"n":12345678901234567890/)
  assert.match(answer.text, /"n":12345678901234567891/)
})

test('A missing field is named', async () => {
  const answer = await post('/v1/tools/calculator/calculate', { operator: 'add' }).expect(400)
  assert.equal(answer.type, 'application/problem+json')
  assert.equal(answer.body.code, 'invalid_params')
  assert.equal(answer.body.requestId, 'r1')
  assert.deepEqual(answer.body.errors, [
    {
      path: '/body/operands',
      message: "must have required property 'operands'",
      expected: 'array of string',
    },
  ])
})

test('Every mistake of a small body is told, with what was expected', async () => {
  const answer = await post('/v1/tools/calculator/calculate', {
    operator: 'x',
    operands: [1],
  }).expect(400)
  assert.deepEqual(
    answer.body.errors.map((error: { path: string; expected: string }) => [
      error.path,
      error.expected,
    ]),
    [
      ['/body/operator', 'one of "add", "subtract"'],
      ['/body/operands/0', 'string'],
    ],
  )
})

test('An argument that an inline function does not know is refused, with what was meant', async () => {
  const inputSchema = { type: 'object', properties: { zone: { type: 'string' } } }
  const runtime = { kind: 'inline', functions: [] } as const
  const loose = { ...inputSchema, additionalProperties: {} }
  addTool(
    house,
    'inside',
    [
      { name: 'now', inputSchema },
      { name: 'any', inputSchema: loose },
    ],
    { runtime },
  )
  addTool(house, 'outside', [{ name: 'now', inputSchema }])
  const content = { content: [] }
  for (const name of ['inside/any', 'outside/now']) {
    house.behaviours.set(name, (call) => result(call, content))
    await post(`/v1/tools/${name}`, { Zone: 'UTC' }).expect(200)
  }
  const answer = await post('/v1/tools/inside/now', { Zone: 'UTC' }).expect(400)
  assert.deepEqual(answer.body.errors, [
    {
      path: '/body/Zone',
      message: 'is not known, did you mean "zone"?',
      expected: 'one of zone',
    },
  ])
  const { body } = await supertest(house.url).get('/openapi.json')
  assert.equal(body.components.schemas.inside__now__Input.additionalProperties, false)
  assert.equal(body.components.schemas.outside__now__Input.additionalProperties, undefined)
})

test('An answer that would be one unread too many is not kept', async (t) => {
  const text = 'x'.repeat(1_000_000)
  house.behaviours.set('box/free', (call) => result(call, { content: [{ type: 'text', text }] }))
  await post('/v1/tools/box/free', {}).expect(200)
  const other = new EventEmitter() as ServerResponse
  assert.ok(holdUnsent(other, 256 * 1024 * 1024))
  t.after(() => other.emit('close'))
  const answer = await post('/v1/tools/box/free', {}).expect(503)
  assert.match(answer.body.detail, /not read yet/)
  const stream = post('/v1/tools/box/free', {}).set('Accept', 'text/event-stream')
  await assert.rejects(stream.then(), /socket hang up|aborted|ECONNRESET/)
  other.emit('close')
  await post('/v1/tools/box/free', {}).expect(200)
})

test('A body that is no object is refused', async () => {
  const answer = await post('/v1/tools/box/free', [1]).expect(400)
  assert.equal(answer.body.errors[0].path, '/body')
})

test('Malformed JSON is refused with the position of the mistake', async () => {
  const answer = await post('/v1/tools/box/free').type('json').send('{"a": x}').expect(400)
  assert.equal(answer.body.code, 'parse_error')
  assert.equal(answer.body.position, 6)
})

test('A body over the limit is refused with the limit', async () => {
  const answer = await post('/v1/tools/box/free', { a: 'x'.repeat(1_000) }).expect(413)
  assert.equal(answer.body.code, 'payload_too_large')
  assert.equal(answer.body.limit, 1_000)
})

test('Another media type is refused', async () => {
  await post('/v1/tools/box/free').type('text/plain').send('{}').expect(415)
})

test('An unknown tool is 404', async () => {
  const answer = await post('/v1/tools/nothing/free', {}).expect(404)
  assert.equal(answer.body.code, 'unknown_tool')
})

test('An unknown function is 404 and names those there are', async () => {
  const answer = await post('/v1/tools/calculator/nothing', {}).expect(404)
  assert.deepEqual(answer.body.functions, ['calculate'])
})

test('A name that no tool can have is 400, encoded dots and slashes too', async () => {
  for (const name of ['a__b', '%2e%2e', 'a%2Fb', 'x'.repeat(65), '%ff']) {
    await post(`/v1/tools/${name}/free`, {}).expect(400)
  }
})

test('A tool that the caller may not see is 403', async () => {
  house.hidden.add('box')
  await post('/v1/tools/box/free', {}).expect(403)
  house.hidden.delete('box')
})

test('A tool that is not learned yet is 503 with Retry-After', async () => {
  house.entries.set('young', {
    name: 'young',
    file: 'f',
    state: 'ready',
    declaration: declare('young'),
  })
  const answer = await post('/v1/tools/young/free', {}).expect(503)
  assert.equal(answer.get('Retry-After'), '2')
  house.entries.delete('young')
})

test('A tool that could not be learned is 502 and says why', async () => {
  house.entries.set('ill', { name: 'ill', file: 'f', state: 'ready', declaration: declare('ill') })
  house.learned.set('ill', { state: 'failed', error: 'exit code 3', at: 0 })
  const answer = await post('/v1/tools/ill/free', {}).expect(502)
  assert.match(answer.body.detail, /exit code 3/)
  house.entries.delete('ill')
})

test('A broken tool says so', async () => {
  house.entries.set('bad', {
    name: 'bad',
    file: 'f',
    state: 'broken',
    error: { file: 'f', line: 3, message: 'a comma is missing' },
  })
  const answer = await post('/v1/tools/bad/free', {}).expect(503)
  assert.match(answer.body.detail, /a comma is missing \(line 3\)/)
  house.entries.delete('bad')
})

test("A function's own error is 422 with its text", async () => {
  house.behaviours.set('box/sad', (call) =>
    result(call, { isError: true, content: [{ type: 'text', text: 'division by zero' }] }),
  )
  const answer = await post('/v1/tools/box/sad', {}).expect(422)
  assert.equal(answer.body.detail, 'division by zero')
})

test("A tool's JSON-RPC error is kept whole", async () => {
  house.behaviours.set('box/rpc', () => errorMessage(1, -32050, 'no disk', { free: 0 }))
  const answer = await post('/v1/tools/box/rpc', {}).expect(502)
  assert.deepEqual(answer.body.rpc, { code: -32050, message: 'no disk', data: { free: 0 } })
})

test("A tool's -32602 is 400, or 404 when it knows no such function", async () => {
  house.behaviours.set('box/rpc', () => errorMessage(1, -32602, 'zone is wrong'))
  assert.equal((await post('/v1/tools/box/rpc', {}).expect(400)).body.rpc.message, 'zone is wrong')
  house.behaviours.set('box/rpc', () => errorMessage(1, -32602, 'Unknown tool: rpc'))
  await post('/v1/tools/box/rpc', {}).expect(404)
})

test('An answer without the structured content it promised is 502', async () => {
  addTool(house, 'liar', [{ name: 'lie', inputSchema: open, outputSchema: open }])
  house.behaviours.set('liar/lie', (call) => result(call, { content: [] }))
  assert.equal((await post('/v1/tools/liar/lie', {}).expect(502)).body.code, 'tool_misbehaved')
})

test('Errors of the waist keep their status, limits and waiting time', async () => {
  house.behaviours.set('box/slow', () => {
    throw new ToolgateError('timeout', 'It took over 1s.', { data: { limit: '1s' } })
  })
  assert.equal((await post('/v1/tools/box/slow', {}).expect(504)).body.limit, '1s')
  house.behaviours.set('box/slow', () => {
    throw new ToolgateError('rate_limited', 'Too many.', { retryAfter: 2.2 })
  })
  assert.equal((await post('/v1/tools/box/slow', {}).expect(429)).get('Retry-After'), '3')
})

test('An unknown error is told to the log and to nobody else', async () => {
  house.behaviours.set('box/boom', () => {
    throw new Error('the secret')
  })
  const answer = await post('/v1/tools/box/boom', {}).expect(500)
  assert.doesNotMatch(answer.text, /secret/)
  assert.match(String(house.logged.at(-1)?.err), /the secret/)
})

test('A schema that does not compile leaves the input to the tool', async () => {
  addTool(house, 'odd', [{ name: 'odd', inputSchema: { type: 'nonsense' } }])
  house.behaviours.set('odd/odd', (call) => result(call, { content: [inputOf(call)] }))
  assert.deepEqual((await post('/v1/tools/odd/odd', { a: 1 }).expect(200)).body.content, [{ a: 1 }])
})

test('A client that goes away cancels its call', async () => {
  const entered = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<unknown>()
  house.behaviours.set('box/gone', (call) => {
    call.signal?.addEventListener('abort', () => aborted.resolve(call.signal?.reason))
    entered.resolve()
    return aborted.promise.then((reason) => Promise.reject(reason))
  })
  const req = request(`${house.url}/v1/tools/box/gone`, { method: 'POST' })
  req.on('error', () => {})
  req.end()
  await entered.promise
  req.destroy()
  assert.equal(((await aborted.promise) as ToolgateError).code, 'cancelled')
})
