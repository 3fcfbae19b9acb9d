import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRequest } from '../../../src/inbound/modern/check.ts'
import type { JsonObject } from '../../../src/protocol/message.ts'
import { META } from '../../../src/protocol/meta.ts'
import { asking, SAID, sent, withHeaders } from './asked.ts'

function check(method: string, meta: JsonObject | undefined, version = '2026-07-28') {
  const headers = withHeaders(['MCP-Protocol-Version', version], ['Mcp-Method', method])
  return checkRequest(headers, sent({ id: 1, method, params: { ...(meta && { _meta: meta }) } }))
}

test('what a request says of its client is read', () => {
  const said = { [META.clientInfo]: { name: 'n', version: '1' }, [META.logLevel]: 'warning' }
  assert.deepEqual(check('tools/list', { ...SAID, ...said }), {
    version: '2026-07-28',
    capabilities: {},
    clientInfo: { name: 'n', version: '1' },
    logLevel: 'warning',
  })
  assert.deepEqual(check('tools/list', SAID), { version: '2026-07-28', capabilities: {} })
})

const without = (key: string) => ({ ...SAID, [key]: undefined })

test('a request that says too little of itself, or in another type, is invalid', () => {
  const wrong = [
    undefined,
    {},
    without(META.protocolVersion),
    without(META.clientCapabilities),
    { ...SAID, [META.protocolVersion]: 20260728 },
    { ...SAID, [META.clientCapabilities]: [] },
    { ...SAID, [META.clientCapabilities]: null },
    { ...SAID, [META.clientInfo]: 'n' },
    { ...SAID, [META.logLevel]: 'loud' },
    { ...SAID, [META.logLevel]: 3 },
  ]
  for (const meta of wrong) assert.throws(() => check('tools/list', meta), { code: 'invalid_meta' })
})

test('a version that header and body agree on, but not we, is answered with those we know', () => {
  const meta = { ...SAID, [META.protocolVersion]: '2027-01-01' }
  assert.throws(() => check('tools/list', meta, '2027-01-01'), {
    code: 'unsupported_version',
    data: { supported: ['2026-07-28'], requested: '2027-01-01' },
  })
  const legacy = { ...SAID, [META.protocolVersion]: '2025-11-25' }
  assert.throws(() => check('tools/list', legacy, '2025-11-25'), { code: 'unsupported_version' })
})

test('a version that they disagree on is a mismatch', () => {
  const meta = { ...SAID, [META.protocolVersion]: '2027-01-01' }
  assert.throws(() => check('tools/list', meta), { code: 'header_mismatch' })
})

const REMOVED = [
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'notifications/initialized',
]

for (const method of REMOVED) {
  test(`there is no request ${method} any more`, () => {
    assert.throws(() => check(method, SAID), { code: 'unknown_method' })
  })
}

test('what is wrong first is said first', () => {
  const bare = withHeaders()
  const unmeant = sent({
    id: 1,
    method: 'ping',
    params: { _meta: without(META.clientCapabilities) },
  })
  assert.throws(() => checkRequest(bare, unmeant), { code: 'invalid_meta' })
  const wild = asking('ping', { _meta: { ...SAID, [META.protocolVersion]: '1' } })
  assert.throws(() => checkRequest(bare, wild), { code: 'header_mismatch' })
  const agreed = withHeaders(['MCP-Protocol-Version', '1'], ['Mcp-Method', 'ping'])
  assert.throws(() => checkRequest(agreed, wild), { code: 'unsupported_version' })
})
