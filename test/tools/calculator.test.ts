import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import calculator from '../../tools.d/calculator.ts'

const { functions } = calculator.runtime

const context = {
  signal: new AbortController().signal,
  progress() {},
  log() {},
  ask: () => Promise.reject(new Error('Nobody can be asked.')),
  workspace: null,
}

test('the sample of the manual is answered', () => {
  const args = functions.calculate.input.parse({ operator: 'add', operands: ['1.2', '2.3'] })
  assert.deepEqual(functions.calculate.run(args, context), { result: '3.5' })
})

test('precision is 28 where none is given, and lies between 1 and 100', () => {
  const { input } = functions.evaluate
  assert.equal(input.parse({ expression: '1' }).precision, 28)
  for (const precision of [0, 101, 1.5, '28']) {
    assert.equal(input.safeParse({ expression: '1', precision }).success, false)
  }
})

test('a number that is no decimal string is refused, and told what is expected', () => {
  const read = (operands: unknown) =>
    functions.calculate.input.safeParse({ operator: 'add', operands }).error?.issues[0]
  assert.match(read([1, '2'])?.message ?? '', /expected string, received number/)
  assert.match(read(['1,5', '2'])?.message ?? '', /must be a decimal number as a string/)
  assert.deepEqual(read(['2', '1e'])?.path, ['operands', 1])
  assert.notEqual(read([]), undefined)
  assert.notEqual(read(Array.from({ length: 1001 }, () => '1')), undefined)
})

test('every function answers what its output describes', async () => {
  const samples = {
    calculate: { operator: 'divide', operands: ['1', '3'] },
    evaluate: { expression: '2 * (3 + 4)' },
    statistics: { values: ['1', '2', '2.5'] },
    convert: { value: '1', from: 'mi', to: 'km' },
    units: {},
  }
  for (const [name, sample] of Object.entries(samples)) {
    const { input, output, run } = functions[name as keyof typeof functions]
    const answer = await run(input.parse(sample) as never, context)
    assert.deepEqual(z.strictObject(output?.shape ?? {}).parse(answer), answer, name)
    assert.deepEqual(await run(input.parse(sample) as never, context), answer, name)
  }
})

test('units lists one dimension, or all, and convert takes what it lists', async () => {
  const one = await functions.units.run({ dimension: 'power' }, context)
  assert.deepEqual(
    one.dimensions.map(({ dimension }) => dimension),
    ['power'],
  )
  const all = await functions.units.run({}, context)
  assert.equal(all.dimensions.length, 12)
  for (const { units } of all.dimensions) {
    for (const { symbol, name, aliases } of units) {
      for (const from of [symbol, name, ...aliases]) {
        const args = { value: '1', from, to: symbol, precision: 28 }
        assert.equal((await functions.convert.run(args, context)).result, '1')
      }
    }
  }
})

test('every field of every schema says what it is', () => {
  for (const { input, output } of Object.values(functions)) {
    for (const schema of [input, output]) {
      for (const [path, field] of fields(z.toJSONSchema(schema as z.ZodType, { io: 'input' }))) {
        assert.equal(typeof field.description, 'string', path)
      }
    }
  }
})

type Schema = z.core.JSONSchema.BaseSchema

function fields(schema: Schema, path = ''): [path: string, field: Schema][] {
  const properties = Object.entries(schema.properties ?? {}) as [string, Schema][]
  const items = schema.items as Schema | undefined
  return [
    ...properties.flatMap(([name, field]): [string, Schema][] => [
      [`${path}.${name}`, field],
      ...fields(field, `${path}.${name}`),
    ]),
    ...(items === undefined ? [] : fields(items, `${path}[]`)),
  ]
}
