import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Catalogue, LearnState } from '../../../src/catalogue/catalogue.ts'
import type { Config } from '../../../src/config/config.ts'
import { ToolgateError } from '../../../src/errors.ts'
import { checkParams, mirroredIn } from '../../../src/inbound/modern/param-headers.ts'
import type { Declaration, FunctionDeclaration } from '../../../src/tool/declaration.ts'
import { withHeaders } from './asked.ts'

const TOOL = { name: 'fake', version: 'v1' } as Declaration

const QUERY: FunctionDeclaration = {
  name: 'query',
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      shard: { type: 'integer', 'x-mcp-header': 'shard' },
      fast: { type: 'boolean', 'x-mcp-header': 'Fast' },
      where: {
        type: 'object',
        properties: { tenant: { type: 'string', 'x-mcp-header': 'Tenant' } },
      },
      sql: { type: 'string' },
    },
  },
}

function learned(functions: readonly FunctionDeclaration[]): LearnState {
  const none = { prompts: [], resources: [], templates: [] }
  return {
    state: 'learned',
    learned: { era: 'legacy', dual: false, initialize: {}, functions, ...none },
  }
}

function parts(catalogue: Partial<Catalogue>, start = 1000) {
  return { catalogue: catalogue as Catalogue, config: { timeouts: { start } } as Config }
}

const KNOWN = parts({ look: () => learned([QUERY]) })

function check(args: unknown, ...headers: readonly (readonly [string, string])[]): void {
  assert.equal(checkParams(KNOWN, TOOL, withHeaders(...headers), 'query', args), undefined)
}

function refuses(header: string, check: () => void): void {
  assert.throws(check, (error: { code: string; data: { header: string } }) => {
    assert.equal(error.code, 'header_mismatch')
    assert.equal(error.data.header, header)
    return true
  })
}

test('arguments pass with the headers that mirror them', () => {
  check({ region: 'us-west1', sql: 'x' }, ['Mcp-Param-Region', 'us-west1'])
  check({ shard: 42 }, ['mcp-param-shard', '42'])
  check({ shard: -7 }, ['Mcp-Param-Shard', '-7'])
  check({ fast: true }, ['Mcp-Param-Fast', 'true'])
  check({ fast: false }, ['Mcp-Param-Fast', 'false'])
  check({ where: { tenant: 'a' } }, ['Mcp-Param-Tenant', 'a'])
  check({ region: '' }, ['Mcp-Param-Region', ''])
})

test('what is not there, or null, has no header, and may not have one', () => {
  check({})
  check(undefined)
  check([])
  check({ region: null, where: null })
  check({ where: 'no object' })
  for (const args of [{}, { region: null }, undefined]) {
    refuses('Mcp-Param-Region', () => check(args, ['Mcp-Param-Region', 'us-west1']))
  }
  // What is inherited is nobody's argument.
  refuses('Mcp-Param-Tenant', () => check({ where: {} }, ['Mcp-Param-Tenant', 'x']))
})

test('a value needs its header', () => {
  refuses('Mcp-Param-Region', () => check({ region: 'us-west1' }))
  refuses('Mcp-Param-shard', () => check({ shard: 0 }))
  refuses('Mcp-Param-Fast', () => check({ fast: false }))
  refuses('Mcp-Param-Tenant', () => check({ where: { tenant: '' } }))
})

test('a header that says another value is refused', () => {
  refuses('Mcp-Param-Region', () => check({ region: 'us' }, ['Mcp-Param-Region', 'eu']))
  refuses('Mcp-Param-Region', () => check({ region: 'us' }, ['Mcp-Param-Region', 'US']))
  refuses('Mcp-Param-Fast', () => check({ fast: true }, ['Mcp-Param-Fast', 'True']))
  refuses('Mcp-Param-Fast', () => check({ fast: true }, ['Mcp-Param-Fast', '1']))
  refuses('Mcp-Param-Region', () => check({ region: ['us'] }, ['Mcp-Param-Region', 'us']))
})

test('encoded values are decoded first, and have to be whole', () => {
  check({ region: 'Hello' }, ['Mcp-Param-Region', '=?base64?SGVsbG8=?='])
  check({ region: '世界' }, ['Mcp-Param-Region', '=?base64?5LiW55WM?='])
  check({ shard: 42 }, ['Mcp-Param-Shard', '=?base64?NDI=?='])
  for (const header of ['=?base64?SGVsbG8?=', '=?base64?SGVs!!!bG8=?=']) {
    refuses('Mcp-Param-Region', () => check({ region: 'Hello' }, ['Mcp-Param-Region', header]))
  }
  check({ region: 'SGVsbG8=' }, ['Mcp-Param-Region', 'SGVsbG8='])
  check({ region: '=?base64?SGVsbG8=' }, ['Mcp-Param-Region', '=?base64?SGVsbG8='])
})

test('integers are the same number, not the same text', () => {
  check({ shard: 42 }, ['Mcp-Param-Shard', '42.0'])
  check({ shard: 0 }, ['Mcp-Param-Shard', '-0'])
  check({ shard: 9007199254740991 }, ['Mcp-Param-Shard', '9007199254740991'])
  for (const header of ['43', '042', '0x2A', '4.2e1', '42.5', ' 42', '', '+42', '42n']) {
    refuses('Mcp-Param-shard', () => check({ shard: 42 }, ['Mcp-Param-Shard', header]))
  }
  // Two readers may round it to two numbers.
  const wide = '9007199254740993'
  refuses('Mcp-Param-shard', () => check({ shard: Number(wide) }, ['Mcp-Param-Shard', wide]))
  refuses('Mcp-Param-shard', () => check({ shard: 1.5 }, ['Mcp-Param-Shard', '1.5']))
})

test('a header that is sent twice, or holds what none may, is refused', () => {
  const twice = [
    ['Mcp-Param-Region', 'a'],
    ['Mcp-Param-Region', 'b'],
  ] as const
  refuses('Mcp-Param-Region', () => check({ region: 'a, b' }, ...twice))
  refuses('Mcp-Param-Region', () => check({ region: 'é' }, ['Mcp-Param-Region', 'é']))
})

test('headers that nothing asks for are left alone', () => {
  check({ sql: 'x' }, ['Mcp-Param-Sql', 'y'], ['Mcp-Param-Else', 'z'])
  assert.equal(
    checkParams(KNOWN, TOOL, withHeaders(['Mcp-Param-Region', 'x']), 'another', {}),
    undefined,
  )
})

const marked = (mark: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': mark })
const named = (properties: Record<string, unknown>) =>
  mirroredIn({ type: 'object', properties }).map(({ shown }) => shown)

test('a mark counts only where it may be', () => {
  assert.deepEqual(
    named({ a: marked('A'), b: marked('B', 'integer'), c: marked('C', 'boolean') }),
    ['Mcp-Param-A', 'Mcp-Param-B', 'Mcp-Param-C'],
  )
  for (const type of ['number', 'object', 'array', 'null', null, ['string', 'null']]) {
    assert.deepEqual(named({ a: marked('A', type) }), [])
  }
  assert.deepEqual(named({ a: { 'x-mcp-header': 'A' } }), [])
  for (const mark of ['', 'My Region', 'Region:x', 'Régi', 'a\r\nb', 'a\tb', 3, null, true]) {
    assert.deepEqual(named({ a: marked(mark) }), [])
  }
  assert.deepEqual(mirroredIn({ ...marked('Root'), properties: {} }), [])
})

test('a mark is found through properties alone', () => {
  const inner = { type: 'object', properties: { x: marked('X') } }
  assert.deepEqual(named({ deep: { type: 'object', properties: { inner } } }), ['Mcp-Param-X'])
  assert.deepEqual(named({ list: { type: 'array', items: inner } }), [])
  assert.deepEqual(named({ one: { oneOf: [inner] }, not: { not: inner }, if: { if: inner } }), [])
  assert.deepEqual(named({ ref: { $ref: '#/$defs/inner', $defs: { inner } } }), [])
})

test('a name that two arguments claim is neither one', () => {
  assert.deepEqual(named({ a: marked('X'), b: marked('x'), c: marked('Y') }), ['Mcp-Param-Y'])
})

test('a schema without an end to its depth is looked at to a bound', () => {
  let schema: Record<string, unknown> = marked('Deep')
  for (let depth = 0; depth < 50_000; depth += 1) schema = { properties: { next: schema } }
  assert.deepEqual(mirroredIn(schema), [])
})

test('a tool that is not known yet is learned first', async () => {
  let state: LearnState = { state: 'learning' }
  const learning = parts({
    look: () => state,
    peek: () => state,
    async learn() {
      state = learned([QUERY])
      return {} as never
    },
  })
  const waiting = checkParams(learning, TOOL, withHeaders(), 'query', { region: 'us' })
  await assert.rejects(waiting as Promise<void>, { code: 'header_mismatch' })
})

test('what cannot be learned is not compared', async () => {
  const failing = {
    look: () => ({ state: 'learning' as const }),
    peek: () => ({ state: 'failed' as const, error: 'x', at: 0 }),
    learn: () => Promise.reject(new ToolgateError('tool_failed_to_start', 'x')),
  }
  await checkParams(parts(failing), TOOL, withHeaders(), 'query', { region: 'us' })
})

test('what is not learned in time is not compared', async () => {
  const never = {
    look: () => ({ state: 'learning' as const }),
    peek: () => ({ state: 'learning' as const }),
    learn: () => new Promise<never>(() => {}),
  }
  await checkParams(parts(never, 10), TOOL, withHeaders(), 'query', { region: 'us' })
})
