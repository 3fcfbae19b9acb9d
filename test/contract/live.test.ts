import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { liveDocument } from '../../src/contract/live.ts'
import { staticDocument } from '../../src/contract/operations.ts'

const everyRef = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '')

function lookUp(document: unknown, ref: string): unknown {
  const path = ref
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return path.reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], document)
}

const tree = {
  type: 'object',
  properties: {
    left: { $ref: '#' },
    leaf: { $ref: '#/$defs/Leaf' },
    name: { $ref: '#/properties/label' },
    label: { type: 'string' },
    'a/b': { $ref: '#/$defs/Leaf/$defs/Inner%20one' },
  },
  $defs: {
    Leaf: {
      type: 'object',
      $defs: { 'Inner one': { type: 'number' } },
      properties: { up: { $ref: '#' } },
    },
    Anything: true,
  },
}

const tools = [
  {
    name: 'wood',
    description: 'Trees.',
    functions: [
      { name: 'grow', inputSchema: tree, outputSchema: tree },
      { name: 'cut.down', inputSchema: { type: 'object' } },
      { name: 'cut_down', inputSchema: { type: 'nonsense' }, description: 'Bad.' },
      { name: 'a/b{c}', inputSchema: { type: 'object' } },
    ],
  },
]

test('Every function has an operation, and every id and component a name of its own', () => {
  const document = liveDocument(tools)
  const ids = Object.values(document.paths).flatMap((item) =>
    Object.values(item).map((operation) => operation.operationId),
  )
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.includes('wood__grow'))
  assert.ok(document.paths['/v1/tools/wood/a%2Fb%7Bc%7D'])
})

test('Definitions become components and every reference leads somewhere', () => {
  const document = liveDocument(tools)
  const schemas = document.components.schemas as Record<string, Record<string, unknown>>
  assert.equal(schemas.wood__grow__Input__Leaf?.type, 'object')
  assert.doesNotMatch(JSON.stringify(schemas), /"\$defs"/)
  for (const ref of everyRef(document)) assert.notEqual(lookUp(document, ref), undefined, ref)
})

test('A function with a bad schema joins with an open one and a note, and the others stay whole', () => {
  const document = liveDocument(tools)
  const operation = document.paths['/v1/tools/wood/cut_down']?.post
  assert.match(String(operation?.['x-toolgate-schema-error']), /no JSON Schema/)
  assert.equal(document.paths['/v1/tools/wood/grow']?.post?.['x-toolgate-schema-error'], undefined)
})

test('A default is told in words and as an example, wherever it stands, and data stays data', () => {
  const size = { type: 'integer', default: 3, description: 'How many.' }
  const inputSchema = {
    type: 'object',
    properties: {
      size,
      default: { type: 'string' },
      more: { type: 'array', items: { $ref: '#/$defs/Part' } },
      list: { type: 'array', default: ['x'.repeat(300)], examples: [['y']] },
    },
    $defs: { Part: { type: 'object', properties: { default: { default: null } } } },
    examples: [{ default: 1 }],
  }
  const fn = { name: 'go', inputSchema, outputSchema: inputSchema }
  const document = liveDocument([{ name: 'one', description: '', functions: [fn] }])
  const schemas = document.components.schemas as Record<string, Record<string, unknown>>
  for (const name of ['one__go__Input', 'one__go__Output']) {
    assert.deepEqual(schemas[name]?.properties, {
      size: { type: 'integer', description: 'How many. Default: 3.', examples: [3] },
      default: { type: 'string' },
      more: { type: 'array', items: { $ref: `#/components/schemas/${name}__Part` } },
      list: { type: 'array', description: 'Has a default.', examples: [['y']] },
    })
    assert.deepEqual(schemas[`${name}__Part`]?.properties, {
      default: { description: 'Default: null.', examples: [null] },
    })
    assert.deepEqual(schemas[name]?.examples, [{ default: 1 }])
  }
  assert.equal(size.default, 3)
})

test('The static document is never changed', () => {
  const before = JSON.stringify(staticDocument())
  liveDocument(tools)
  assert.equal(JSON.stringify(staticDocument()), before)
})

test('The live document is valid OpenAPI 3.1', () => {
  const require = createRequire(import.meta.url)
  const entry = require.resolve('express-openapi-validator')
  const schema = require(entry.replace(/index\.js$/, 'framework/openapi.v3_1.modified.schema.json'))
  const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false })
  assert.ok(ajv.validate(schema, liveDocument(tools)), ajv.errorsText())
})
