import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdentify } from '../../src/guard/caller.ts'
import { configWith, type GuardConfig, keyOf } from './given.ts'

const KEYS = [
  keyOf('ci', 'tg_first', { roles: ['robot'], scopes: ['files:read'] }),
  keyOf('ada', 'tg_second'),
]

test('a key is taken from Authorization or X-API-Key, and tells id, roles and scopes', () => {
  const identify = createIdentify(configWith({ keys: KEYS }), { authFailed() {} })
  const caller = identify({ authorization: 'Bearer tg_first' })
  assert.deepEqual(caller, {
    id: 'ci',
    anonymous: false,
    roles: ['robot'],
    scopes: ['files:read'],
  })
  assert.equal(identify({ 'x-api-key': 'tg_first' }), caller, 'always the same object')
  assert.equal(identify({ authorization: 'bearer   tg_second' }).id, 'ada')
  assert.ok(Object.isFrozen(caller))
})

test('who sends no key is anonymous on loopback and where unauthenticated says so', () => {
  for (const config of [
    configWith(),
    configWith({ host: 'localhost' }),
    configWith({ host: '::1' }),
    configWith({ host: '0.0.0.0', unauthenticated: true }),
  ]) {
    const caller = createIdentify(config, { authFailed() {} })({})
    assert.deepEqual(caller, { id: 'anonymous', anonymous: true, roles: [], scopes: [] })
  }
})

test('who sends no key is refused on a public address', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'gateway.example']) {
    assert.deepEqual(refusals(configWith({ host }), {}), ['missing'])
  }
})

test('as soon as keys are configured nobody is anonymous, on loopback either', () => {
  assert.deepEqual(refusals(configWith({ keys: KEYS }), {}), ['missing'])
  assert.deepEqual(refusals(configWith({ keys: KEYS, unauthenticated: true }), {}), ['missing'])
})

test('a wrong key is refused, even where anonymous is allowed', () => {
  for (const config of [configWith(), configWith({ keys: KEYS })]) {
    assert.deepEqual(refusals(config, { authorization: 'Bearer tg_wrong' }), ['wrong'])
    assert.deepEqual(refusals(config, { 'x-api-key': 'tg_wrong' }), ['wrong'])
  }
})

test('the hash itself is not a key', () => {
  const { hash } = KEYS[0] ?? assert.fail()
  const config = configWith({ keys: KEYS })
  assert.deepEqual(refusals(config, { authorization: `Bearer ${hash}` }), ['wrong'])
  assert.deepEqual(refusals(config, { 'x-api-key': hash.slice(7) }), ['wrong'])
})

test('two credentials are refused, the same one twice too', () => {
  const config = configWith({ keys: KEYS })
  const headers = { authorization: 'Bearer tg_first', 'x-api-key': 'tg_first' }
  assert.deepEqual(refusals(config, headers), ['ambiguous'])
})

test('what is no credential is refused, never taken as none', () => {
  for (const config of [configWith(), configWith({ keys: KEYS })]) {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      'tg_first',
      'Basic dGdfZmlyc3Q=',
      'Bearer tg_first tg_second',
      'Bearer tg_first, Bearer tg_first',
      'Bearer tg_fírst',
      `Bearer ${'x'.repeat(4097)}`,
    ]) {
      const reasons = refusals(config, { authorization })
      assert.deepEqual(reasons, ['malformed'], JSON.stringify(authorization))
    }
    for (const key of ['', ' ', 'tg first', 'tg_first, tg_first', ['tg_first', 'tg_first']]) {
      assert.deepEqual(refusals(config, { 'x-api-key': key }), ['malformed'], JSON.stringify(key))
    }
  }
})

/** The reasons counted for a request that must be refused. */
function refusals(config: GuardConfig, headers: Record<string, string | string[]>): string[] {
  const reasons: string[] = []
  const identify = createIdentify(config, { authFailed: (reason) => void reasons.push(reason) })
  assert.throws(() => identify(headers), { code: 'unauthorized', status: 401 })
  return reasons
}
