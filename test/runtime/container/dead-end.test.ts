import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadEnd } from '../../../src/runtime/container/dead-end.ts'

test('the way out leads to the last address, or to the one before the machine’s', () => {
  assert.equal(deadEnd({ subnet: '172.20.0.0/16', gateway: '172.20.0.1' }), '172.20.255.254')
  assert.equal(deadEnd({ subnet: '10.1.2.64/29', gateway: '10.1.2.70' }), '10.1.2.69')
  assert.equal(deadEnd({ subnet: '192.168.240.0/20', gateway: '' }), '192.168.255.254')
})

test('what is too small, or no IPv4 network, is refused', () => {
  for (const subnet of ['10.0.0.0/30', '10.0.0.0/32', 'fd00::/64', '10.0.0.0', '']) {
    assert.throws(() => deadEnd({ subnet, gateway: '' }), /too small/)
  }
})
