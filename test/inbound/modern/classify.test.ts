import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsModern, isModern } from '../../../src/inbound/modern/classify.ts'
import { META } from '../../../src/protocol/meta.ts'
import { asking, SAID, sent, withHeaders } from './asked.ts'

const modern = withHeaders(['MCP-Protocol-Version', '2026-07-28'])

test('a message that says which version it is of is modern, whatever it says', () => {
  assert.ok(isModern(asking('tools/list')))
  assert.ok(isModern(asking('initialize')))
  assert.ok(isModern(asking('tools/list', { _meta: { [META.protocolVersion]: null } })))
  assert.ok(isModern(sent({ method: 'notifications/cancelled', params: { _meta: SAID } })))
})

test('an initialize that names the version of a session is legacy, any other version is not', () => {
  const naming = (version: unknown) =>
    asking('initialize', { _meta: { ...SAID, [META.protocolVersion]: version } })
  assert.ok(!isModern(naming('2025-11-25')))
  assert.ok(!isModern(naming('2024-11-05')))
  for (const other of ['2026-07-28', '2099-01-01', 20251125]) assert.ok(isModern(naming(other)))
})

test('the methods that no legacy version has are modern without that', () => {
  assert.ok(isModern(sent({ id: 1, method: 'server/discover' })))
  assert.ok(isModern(sent({ id: 1, method: 'subscriptions/listen', params: {} })))
})

test('any other message is legacy', () => {
  assert.ok(!isModern(sent({ id: 1, method: 'initialize', params: {} })))
  assert.ok(!isModern(sent({ id: 1, method: 'tools/list' })))
  assert.ok(!isModern(sent({ id: 1, method: 'tools/list', params: { _meta: {} } })))
  assert.ok(!isModern(sent({ id: 1, result: {} })))
})

test('a header alone claims the modern era for anything but initialize', () => {
  assert.ok(claimsModern(modern, sent({ id: 1, method: 'tools/list' })))
  assert.ok(claimsModern(modern, sent({ id: 1, result: {} })))
  assert.ok(!claimsModern(modern, sent({ id: 1, method: 'initialize' })))
  const legacy = withHeaders(['MCP-Protocol-Version', '2025-11-25'])
  assert.ok(!claimsModern(legacy, sent({ id: 1, method: 'tools/list' })))
  assert.ok(!claimsModern(withHeaders(), sent({ id: 1, method: 'tools/list' })))
})
