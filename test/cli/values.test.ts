import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readValues } from '../../src/cli/values.ts'

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    count: { type: 'integer' },
    yes: { type: 'boolean' },
    list: { type: 'array', items: { type: 'string' } },
    mixed: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    word: { enum: ['a', 'b'] },
    linked: { $ref: '#/$defs/number' },
    any: {},
  },
  $defs: { number: { type: 'number' } },
}

test('a value is read as the input schema says', () => {
  assert.deepEqual(
    readValues(
      ['text=12', 'count=12', 'yes=true', 'list=["a"]', 'mixed=12', 'word=a', 'linked=1.5'],
      undefined,
      schema,
    ),
    { text: '12', count: 12, yes: true, list: ['a'], mixed: '12', word: 'a', linked: 1.5 },
  )
})

test('where any type may stand, JSON is JSON and all else is text', () => {
  const read = (text: string) => readValues([`any=${text}`], undefined, schema).any
  assert.deepEqual(read('{"a":1}'), { a: 1 })
  assert.equal(read('12'), 12)
  assert.equal(read('twelve'), 'twelve')
  assert.equal(readValues(['mixed=null'], undefined, schema).mixed, null)
})

test('a value may be empty, have an equals sign, and be of a name the schema lacks', () => {
  assert.deepEqual(readValues(['text=', 'other=a=b'], undefined, schema), {
    text: '',
    other: 'a=b',
  })
})

test('pairs go before --json', () => {
  const input = readValues(['count=2'], '{"count":1,"text":"x"}', schema)
  assert.deepEqual(input, { count: 2, text: 'x' })
})

test('a value that cannot be of its type, no pair, and a name given twice are refused', () => {
  for (const [pairs, message] of [
    [['count=many'], /count: found "many", expected integer/],
    [['now'], /"now" is no key=value/],
    [['=1'], /no key=value/],
    [['count=1', 'count=2'], /count is given twice/],
  ] as const)
    assert.throws(() => readValues(pairs, undefined, schema), { name: 'UsageError', message })
  assert.throws(() => readValues([], '[1]', schema), { message: /--json needs a JSON object/ })
})

test('a name such as __proto__ is only a name', () => {
  const input = readValues(['__proto__={"polluted":true}'], undefined, schema)
  assert.equal(Object.hasOwn(input, '__proto__'), true)
  assert.equal((input as { polluted?: boolean }).polluted, undefined)
})
