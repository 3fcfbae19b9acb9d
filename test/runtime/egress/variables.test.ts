import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyVariables } from '../../../src/runtime/egress/variables.ts'

test('programs of every kind are told of the forwarder', () => {
  const variables = proxyVariables()
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
    assert.equal(variables[name], 'http://127.0.0.1:3128')
    assert.equal(variables[name.toLowerCase()], 'http://127.0.0.1:3128')
  }
  assert.equal(variables.NO_PROXY, 'localhost,127.0.0.1,::1')
  assert.equal(variables.no_proxy, variables.NO_PROXY)
  assert.equal(variables.NODE_USE_ENV_PROXY, '1')
})

test('a container is told of the port that is its own', () => {
  assert.equal(
    proxyVariables({ host: '172.20.0.1', port: 4000 }).HTTP_PROXY,
    'http://172.20.0.1:4000',
  )
  assert.equal(proxyVariables({ host: 'fd00::1', port: 4000 }).https_proxy, 'http://[fd00::1]:4000')
})
