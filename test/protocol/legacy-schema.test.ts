import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { legacyOutputSchema } from '../../src/protocol/legacy-schema.ts'
import type { JsonObject } from '../../src/protocol/message.ts'

/** The schema of what a legacy client is given, in the dialect it is written in. */
function validator(schema: JsonObject) {
  const legacy = legacyOutputSchema(schema)
  assert.equal(legacy.type, 'object')
  const older = String(schema.$schema).includes('draft-07')
  const validate = (older ? new Ajv({ strict: false }) : new Ajv2020({ strict: false })).compile(
    legacy,
  )
  // As `structuredContent` is given: an object as it is, anything else wrapped.
  return (value: unknown) => {
    const object = typeof value === 'object' && value !== null && !Array.isArray(value)
    return validate(object ? value : { result: value })
  }
}

test('an object schema stays as it is', () => {
  const schema = { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: true } }
  assert.equal(legacyOutputSchema(schema), schema)
})

test('what can be no object is required as "result"', () => {
  const valid = validator({ type: 'array', items: { type: 'number' }, maxItems: 2 })
  assert.equal(valid([1, 2]), true)
  assert.equal(valid(['1']), false)
  assert.equal(valid([1, 2, 3]), false)
  assert.equal(valid({ other: 1 }), false)
  assert.equal(validator({ type: ['null', 'string'] })(null), true)
})

test('references lead to where they led before', () => {
  const valid = validator({
    type: 'array',
    items: { $ref: '#/$defs/pair' },
    $defs: {
      pair: { type: 'array', prefixItems: [{ $ref: '#/$defs/n' }, { $ref: '#/$defs/tree' }] },
      n: { type: 'number' },
      tree: { anyOf: [{ type: 'null' }, { $ref: '#' }] },
    },
  })
  assert.equal(valid([[1, [[2, null]]]]), true)
  assert.equal(valid([[1, [['2', null]]]]), false)
})

test('references of an older dialect do too, and it is still said which that is', () => {
  const $schema = 'http://json-schema.org/draft-07/schema#'
  const items = { $ref: '#/definitions/n' }
  const schema = { $schema, type: 'array', items, definitions: { n: { type: 'number' } } }
  assert.equal(legacyOutputSchema(schema).$schema, $schema)
  assert.equal(validator(schema)([1]), true)
  assert.equal(validator(schema)(['1']), false)
})

test('anchors, documents within it and data are not touched', () => {
  const valid = validator({
    type: 'array',
    items: {
      anyOf: [
        { $ref: '#named' },
        { $ref: 'https://example.com/inner' },
        { const: { $ref: '#/x' } },
      ],
    },
    $defs: {
      named: { $anchor: 'named', type: 'number' },
      inner: {
        $id: 'https://example.com/inner',
        type: 'array',
        items: { $ref: '#/$defs/s' },
        $defs: { s: { type: 'string' } },
      },
      $ref: { default: { $ref: '#/y' } },
    },
  })
  assert.equal(valid([1, ['a'], { $ref: '#/x' }]), true)
  assert.equal(valid([[1]]), false)
  assert.equal(valid([true]), false)
  const whole = {
    $id: 'https://example.com/whole',
    type: 'array',
    items: { $ref: '#/$defs/n' },
    $defs: { n: {} },
  }
  const { $id, ...others } = whole
  const { properties } = legacyOutputSchema(whole)
  assert.deepEqual(properties, { result: { $id, ...others } })
})

test('what may be an object or not is either, as it is given', () => {
  const bark = { $ref: '#/$defs/loud' }
  const dog = { type: 'object', properties: { bark }, required: ['bark'] }
  const list = { type: 'array', items: bark }
  const either = validator({ anyOf: [dog, list], $defs: { loud: { type: 'integer' } } })
  assert.equal(either({ bark: 1 }), true)
  assert.equal(either({ bark: 'x' }), false)
  assert.equal(either([1]), true)
  assert.equal(either(['1']), false)
  const open = validator({ ...dog, ...list, type: ['object', 'array'], $defs: { loud: true } })
  assert.equal(open({ bark: 1 }), true)
  assert.equal(open({}), false)
  assert.equal(open([1]), true)
  assert.equal(validator({})('anything'), true)
})
