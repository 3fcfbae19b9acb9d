import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bearer, digestOf, Seal } from '../../src/dispatch/seal.ts'
import { ToolgateError } from '../../src/errors.ts'
import { parseExact } from '../../src/protocol/exact-json.ts'

const KEY = 'k'.repeat(32)
const BEARER: Bearer = { caller: 'ann', tool: 'box', version: 'v1', request: 'digest' }
const SEALED = { kind: 'parked', value: 'id' } as const

const refusal = (open: () => unknown) => {
  try {
    open()
  } catch (error) {
    assert.ok(error instanceof ToolgateError)
    assert.equal(error.code, 'invalid_params')
    return error.message
  }
  throw new Error('It was opened.')
}

test('what was sealed is read again by whom it was given to', () => {
  const seal = new Seal(KEY, 1000)
  for (const kind of ['tool', 'parked'] as const) {
    for (const value of ['', 'a.b', '"ü\n', 'x'.repeat(100_000)]) {
      assert.deepEqual(seal.open(seal.seal({ kind, value }, BEARER), BEARER), { kind, value })
    }
  }
})

test('nothing of it can be changed', () => {
  const seal = new Seal(KEY, 1000)
  const state = seal.seal(SEALED, BEARER)
  for (let at = 0; at < state.length; at += 1) {
    const other = state[at] === 'A' ? 'B' : 'A'
    const changed = state.slice(0, at) + other + state.slice(at + 1)
    assert.match(
      refusal(() => seal.open(changed, BEARER)),
      /not signed here/,
      `at ${at}`,
    )
  }
  const [body = '', signature = ''] = state.split('.')
  const forged = Buffer.from('["parked","other","ann","box","v1","digest",9e15]')
  for (const changed of [
    body,
    signature,
    `.${signature}`,
    `${body}.`,
    `${state}.`,
    `${state}A`,
    `${state}=`,
    ` ${state}`,
    `${state}.${signature}`,
    `${body}.${body}.${signature}`,
    `${forged.toString('base64url')}.${signature}`,
    `${forged.toString('base64url')}.`,
    '',
    '.',
  ]) {
    assert.match(
      refusal(() => seal.open(changed, BEARER)),
      /not signed here/,
      changed,
    )
  }
  for (const none of [undefined, null, 7, {}, [state]]) {
    assert.match(
      refusal(() => seal.open(none, BEARER)),
      /must be a string/,
    )
  }
})

test('it is of no use to another caller, for another tool, request or version', () => {
  const seal = new Seal(KEY, 1000)
  const state = seal.seal(SEALED, BEARER)
  for (const [changed, told] of [
    [{ caller: 'bob' }, /another request/],
    [{ tool: 'safe' }, /another request/],
    [{ request: 'other' }, /another request/],
    [{ version: 'v2' }, /another version/],
  ] as const) {
    assert.match(
      refusal(() => seal.open(state, { ...BEARER, ...changed })),
      told,
    )
  }
})

test('it expires, and says so', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  const seal = new Seal(KEY, 1000)
  const state = seal.seal(SEALED, BEARER)
  t.mock.timers.setTime(1_000_999)
  assert.deepEqual(seal.open(state, BEARER), SEALED)
  t.mock.timers.setTime(1_001_000)
  assert.match(
    refusal(() => seal.open(state, BEARER)),
    /expired.*Call again/,
  )
})

test('two gateways with one key read what either sealed', () => {
  const state = new Seal(KEY, 1000).seal(SEALED, BEARER)
  assert.deepEqual(new Seal(KEY, 5).open(state, BEARER), SEALED)
})

test('another key, and one made at start, refuse it', () => {
  const state = new Seal(KEY, 1000).seal(SEALED, BEARER)
  for (const other of [new Seal(`${KEY}k`, 1000), new Seal(null, 1000), new Seal(null, 1000)]) {
    assert.match(
      refusal(() => other.open(state, BEARER)),
      /not signed here/,
    )
  }
})

test('a refusal calls it by the name that its client knows', () => {
  const seal = new Seal(KEY, 1000)
  assert.match(
    refusal(() => seal.open('x', BEARER)),
    /^"requestState" was/,
  )
  assert.match(
    refusal(() => seal.open('x', BEARER, 'continuation')),
    /^"continuation" was/,
  )
})

test('a digest is of the method and what the client asked for, in whatever order', () => {
  const params = { name: 'go', arguments: { a: 1, b: [{ c: 2, d: 3 }] } }
  const digest = digestOf('tools/call', params)
  const { name, arguments: args } = params
  for (const same of [
    { arguments: { b: [{ d: 3, c: 2 }], a: 1 }, name },
    { ...params, _meta: { progressToken: 1 } },
    { ...params, inputResponses: { x: {} }, requestState: 'y' },
  ]) {
    assert.equal(digestOf('tools/call', same), digest)
  }
  assert.notEqual(digestOf('prompts/get', params), digest)
  for (const other of [
    { ...params, name: 'stop' },
    { ...params, more: undefined, arguments: { ...args, a: '1' } },
    { ...params, arguments: { ...args, b: [{ c: 2, d: 3 }, {}] } },
    { ...params, arguments: { ...args, _meta: {} } },
    JSON.parse('{"name":"go","arguments":{"a":1,"b":[{"c":2,"d":3}],"__proto__":{"x":1}}}'),
    {},
    undefined,
  ]) {
    assert.notEqual(digestOf('tools/call', other), digest)
  }
})

test('an object and the list of its members have digests of their own', () => {
  const digests = [{ a: 1 }, [['a', 1]], { a: [1] }, [], {}].map((value) =>
    digestOf('tools/call', { arguments: value }),
  )
  assert.equal(new Set(digests).size, digests.length)
})

test('numbers that a double cannot tell apart have digests of their own', () => {
  const texts = ['9007199254740993', '9007199254740992', '1e400', '1e500', 'null', '1', '"1"']
  const digests = texts.map((text) =>
    digestOf('tools/call', parseExact(`{"arguments":{"n":${text}}}`)),
  )
  assert.equal(new Set(digests).size, digests.length)
})

test('params nested too deeply are refused', () => {
  const depth = 100_000
  const params = { a: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) }
  assert.throws(() => digestOf('tools/call', params), { code: 'bad_request' })
})
