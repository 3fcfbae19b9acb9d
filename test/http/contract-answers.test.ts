import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import supertest from 'supertest'
import { type OpenApiDocument, staticDocument } from '../../src/contract/operations.ts'
import { addCalculator, addTool, declare, type House, openHouse, result } from './house.ts'

let house: House
let document: OpenApiDocument
const seen = new Set<string>()

before(async () => {
  house = await openHouse()
  addCalculator(house)
  addTool(
    house,
    'one',
    ['say', 'ask'].map((name) => ({ name, inputSchema: { type: 'object' } })),
  )
  house.behaviours.set('one/ask', async (call) => {
    const told = await call.ask?.({ name: { method: 'elicitation/create', params: {} } })
    return result(call, { content: [{ type: 'text', text: JSON.stringify(told) }] })
  })
  house.behaviours.set('one/say', (call) => result(call, { content: [{ type: 'text', text: '' }] }))
  const error = { file: '/tools/bad.ts', line: 3, path: 'timeout', message: 'No.', expected: '1s' }
  const errors = [error, { file: '/tools/bad.ts', path: 'runtime', message: 'None.' }]
  const broken = { file: '/tools/bad.ts', state: 'broken', error, errors } as const
  house.entries.set('bad', { name: 'bad', ...broken })
  house.entries.set('kept', { name: 'kept', ...broken, declaration: declare('kept') })
  house.entries.set('ill', { name: 'ill', file: 'f', state: 'ready', declaration: declare('ill') })
  house.learned.set('ill', { state: 'failed', error: 'exit code 3', at: 0 })
  document = (await supertest(house.url).get('/openapi.json').expect(200)).body
})
after(() => house.close())

/** Asks, and compares status, media type and body with what the document says of the operation. */
async function meets(method: 'get' | 'post', path: string, url: string, body?: object) {
  const asked = supertest(house.url)[method](url)
  const answer = await (body === undefined ? asked : asked.send(body))
  const operation = document.paths[path]?.[method] as unknown as Operation
  seen.add(`${method} ${path}`)
  const said = operation.responses[answer.status]
  assert.ok(said, `${method} ${url} answers ${answer.status}, which is not in the document`)
  const response = '$ref' in said ? named(said.$ref) : said
  const content = response.content[answer.type]
  assert.ok(content, `${method} ${url} answers ${answer.type}, which is not in the document`)
  if (answer.type === 'application/yaml') return answer
  const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false })
  const schema = { ...content.schema, components: document.components }
  assert.ok(ajv.validate(schema, answer.body), `${method} ${url}: ${ajv.errorsText()}`)
  return answer
}

interface Operation {
  readonly responses: Record<string, Said | { $ref: string }>
}
interface Said {
  readonly content: Record<string, { schema: Record<string, unknown> }>
}

function named(ref: string): Said {
  const responses = document.components.responses as Record<string, Said>
  const said = responses[ref.replace('#/components/responses/', '')]
  assert.ok(said, ref)
  return said
}

test('What every operation answers is what the document says of it', async () => {
  await meets('get', '/v1/tools', '/v1/tools')
  for (const tool of ['calculator', 'one', 'bad', 'kept', 'ill', 'nothing', 'a__b']) {
    await meets('get', '/v1/tools/{tool}', `/v1/tools/${tool}`)
  }
  const call = '/v1/tools/{tool}/{function}'
  const sum = { operator: 'add', operands: ['1', '2'] }
  await meets('post', call, '/v1/tools/calculator/calculate', sum)
  await meets('post', '/v1/tools/calculator/calculate', '/v1/tools/calculator/calculate', sum)
  await meets('post', call, '/v1/tools/calculator/calculate', {})
  await meets('post', '/v1/tools/one/say', '/v1/tools/one/say', {})
  for (const tool of ['bad', 'ill', 'nothing']) await meets('post', call, `/v1/tools/${tool}/x`, {})
  const go = '/v1/continuations'
  for (const path of [call, '/v1/tools/one/ask']) {
    const { body } = await meets('post', path, '/v1/tools/one/ask', {})
    assert.equal(body.code, 'input_required')
    const first = { continuation: body.continuation, inputResponses: {} }
    const { continuation } = (await meets('post', go, go, first)).body
    await meets('post', go, go, { continuation, inputResponses: { name: {} } })
    await meets('post', go, go, first)
  }
  await meets('post', go, go, {})
  await meets('post', '/mcp/invoke', '/mcp/invoke', { tool_name: 'one__ask' })
  await meets('post', '/mcp/invoke', '/mcp/invoke', { tool_name: 'one__say' })
  await meets('post', '/mcp/invoke', '/mcp/invoke', {})
  for (const path of ['/healthz', '/ready', '/health', '/openapi.json', '/openapi.yaml']) {
    await meets('get', path, path)
  }
  for (const [path, item] of Object.entries(staticDocument().paths)) {
    for (const method of Object.keys(item)) assert.ok(seen.has(`${method} ${path}`), path)
  }
})

test('What is not well is answered as the document says, too', async () => {
  const well = house.health.now
  const store = { status: 'down', needed: true, detail: 'no disk' } as const
  house.health.now = { ...well, reasons: ['shutting down'], components: { store } }
  assert.equal((await meets('get', '/ready', '/ready')).status, 503)
  assert.equal((await meets('get', '/health', '/health')).status, 503)
  house.health.now = well
})

test('Every mistake of a file is told, the first beside the others', async () => {
  const { body } = await meets('get', '/v1/tools/{tool}', '/v1/tools/bad')
  assert.deepEqual(
    body.errors.map(({ path }: { path: string }) => path),
    ['timeout', 'runtime'],
  )
  assert.deepEqual(body.lastError, body.errors[0])
})
