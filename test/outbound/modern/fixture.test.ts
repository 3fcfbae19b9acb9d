import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture } from '../../harness/fixtures.ts'
import { openPipe } from '../../harness/pipe.ts'
import { CLIENT, type Json } from './given.ts'

test('modern-echo refuses whoever does not speak its version, and says which that is', async (t) => {
  const pipe = openPipe(t, fixture('modern-echo'))
  const refused = async (method: string, _meta?: Json) => {
    const { error } = await pipe.request(method, { ...(_meta && { _meta }) })
    return error as { code: number; message: string; data?: Json }
  }
  const initialize = await refused('initialize')
  assert.equal(initialize.code, -32601)
  assert.match(initialize.message, /2026-07-28/)
  assert.equal((await refused('server/discover')).code, -32602)
  const version = { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' }
  const unsupported = await refused('tools/list', { ...CLIENT, ...version })
  assert.equal(unsupported.code, -32022)
  assert.deepEqual(unsupported.data, { supported: ['2026-07-28'], requested: '2027-01-01' })
  assert.equal((await refused('ping', CLIENT)).code, -32601)
  pipe.endStdin()
  assert.equal(await pipe.exit, 0)
})

test('modern-echo asks only what its client declared, unless it is told to', async (t) => {
  const pipe = openPipe(t, fixture('modern-echo'))
  const call = (name: string, args: Json, capabilities: Json) => {
    const _meta = { ...CLIENT, 'io.modelcontextprotocol/clientCapabilities': capabilities }
    return pipe.request('tools/call', { name, arguments: args, _meta })
  }
  const { error } = await call('ask', {}, {})
  const required = { requiredCapabilities: { elicitation: {} } }
  assert.deepEqual((error as Json).data, required)
  for (const asked of [
    await call('ask', { anyway: true }, {}),
    await call('ask', {}, { elicitation: {} }),
    await call('sampling', {}, { sampling: {} }),
    await call('roots', {}, { roots: {} }),
  ]) {
    assert.equal((asked.result as Json).resultType, 'input_required')
  }
})
