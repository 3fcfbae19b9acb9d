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
