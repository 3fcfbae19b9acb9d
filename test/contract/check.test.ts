import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Checked, check } from '../../src/contract/check.ts'

const mistakes = (schema: object, body: unknown) => {
  const checked = check(schema as Record<string, unknown>)
  assert.ok(checked.ok, checked.ok ? '' : checked.reason)
  return checked.validate(body)
}
const reason = (checked: Checked) => (checked.ok ? 'it is right' : checked.reason)

test('A schema of an older draft is read as it was meant', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'https://example.com/a.json',
    type: 'object',
    properties: {
      pair: { items: [{ type: 'string' }, { $ref: '#/definitions/N' }], additionalItems: false },
      other: { $ref: 'https://example.com/a.json#/definitions/N' },
      definitions: { type: 'boolean' },
      also: { $ref: '#/properties/definitions' },
    },
    dependencies: { pair: ['other'], also: { required: ['pair'] } },
    definitions: { N: { type: 'number', minimum: 0, exclusiveMinimum: true } },
  }
  assert.deepEqual(mistakes(schema, { pair: ['a', 1], other: 2 }), [])
  const paths = mistakes(schema, { pair: ['a', 0, 1], also: 1 }).map((error) => error.path)
  assert.deepEqual(paths.toSorted(), ['/body/also', '/body/other', '/body/pair', '/body/pair/1'])
})

test('A schema that is wrong says why, and harms no other', () => {
  assert.match(reason(check({ type: 'nonsense' })), /no JSON Schema/)
  assert.match(reason(check({ properties: { a: { $ref: '#/$defs/none' } } })), /does not compile/)
  assert.match(reason(check({ $ref: 'https://example.com/x' })), /same schema/)
  assert.match(reason(check({ $ref: 'file:///etc/passwd' })), /same schema/)
  assert.match(reason(check({ pattern: '(' })), /regular expression/)
  assert.match(reason(check({ properties: { a: { $dynamicRef: '#x' } } })), /dynamicRef/)
  assert.deepEqual(mistakes({ type: 'object' }, {}), [])
})

test('A schema is bounded in depth, in size and in parts', () => {
  let deep: Record<string, unknown> = {}
  for (let level = 0; level < 50_000; level += 1) deep = { not: deep }
  assert.match(reason(check(deep)), /deeper than 64/)
  assert.match(reason(check({ description: 'x'.repeat(200_000) })), /characters/)
  assert.match(
    reason(check({ enum: Array.from({ length: 9_000 }, () => []) })),
    /objects and lists/,
  )
})

test('The same schema is compiled once', () => {
  const schema = { type: 'object' }
  assert.equal(check(schema), check(schema))
})

test('Data in a schema is never taken for a schema, nor a property for a keyword', () => {
  const schema = {
    properties: { $ref: { type: 'string' }, $id: { type: 'string' }, __proto__x: {} },
    default: { $ref: 'https://example.com' },
    enum: [{ $ref: 'a' }],
  }
  assert.deepEqual(mistakes(schema, { $ref: 'a' }), [])
})

test('A body that would take for ever is refused in time', () => {
  const schema = { properties: { a: { type: 'string', pattern: '^(a+)+$' } } }
  const [error] = mistakes(schema, { a: `${'a'.repeat(50)}!` })
  assert.match(error?.message ?? '', /takes over/)
  assert.deepEqual(mistakes(schema, { a: 'aaa' }), [])
})

test('A schema that leads to itself without end leaves the body to the tool', () => {
  assert.deepEqual(mistakes({ allOf: [{ $ref: '#' }] }, {}), [])
})

test('A body is never changed by being checked', () => {
  const body = { when: '2026-01-01T00:00:00Z', n: '1' }
  const properties = {
    when: { type: 'string', format: 'date-time' },
    n: { type: 'string' },
    more: { type: 'string', default: 'x' },
  }
  assert.deepEqual(mistakes({ properties }, body), [])
  assert.deepEqual(body, { when: '2026-01-01T00:00:00Z', n: '1' })
})

test('At most 20 mistakes are told, and only the first of a large body', () => {
  const schema = { additionalProperties: { type: 'string' } }
  const wrong = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]))
  assert.equal(mistakes(schema, wrong(100)).length, 20)
  assert.equal(mistakes(schema, wrong(10_000)).length, 1)
})

test('What was expected is told in words, as far as the schema has them', () => {
  const decimal = { type: 'string', pattern: '^\\d+$', description: 'Digits only.' }
  const properties = {
    a: decimal,
    b: { type: 'string', pattern: '^x$' },
    c: { type: 'string', format: 'date-time', pattern: '^\\d{4}-' },
    d: { type: 'integer', minimum: 1, maximum: 100 },
    e: { type: 'number', exclusiveMinimum: 0 },
    f: { type: 'string', minLength: 2, maxLength: 4 },
    g: { type: 'array', minItems: 1 },
    h: { type: 'number', multipleOf: 5 },
    i: { enum: ['up', 'down'] },
  }
  const body = { a: '-', b: '-', c: '-', d: 0, e: 0, f: '-', g: [], h: 1, i: '-' }
  assert.deepEqual(
    mistakes({ properties }, body).map(({ path, message, expected }) => [path, message, expected]),
    [
      ['/body/a', 'has the wrong form', 'Digits only.'],
      ['/body/b', 'must match pattern "^x$"', 'text matching ^x$'],
      ['/body/c', 'has the wrong form', 'date-time'],
      ['/body/d', 'must be >= 1', 'at least 1, at most 100'],
      ['/body/e', 'must be > 0', 'over 0'],
      ['/body/f', 'must NOT have fewer than 2 characters', 'at least 2, at most 4 characters'],
      ['/body/g', 'must NOT have fewer than 1 items', 'at least 1 items'],
      ['/body/h', 'must be multiple of 5', 'a multiple of 5'],
      ['/body/i', 'must be equal to one of the allowed values', 'one of "up", "down"'],
    ],
  )
})

test('A field too many is told with the one that was probably meant', () => {
  const schema = { properties: { zone: {}, moment: {} }, additionalProperties: false }
  assert.deepEqual(mistakes(schema, { Zone: 1 }), [
    {
      path: '/body/Zone',
      message: 'is not known, did you mean "zone"?',
      expected: 'one of zone, moment',
    },
  ])
  const [none] = mistakes({ additionalProperties: false }, { Zone: 1 })
  assert.equal(none?.expected, 'nothing')
})
