import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, errorOf } from '../harness/session.ts'
import { callRest } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    tools: {
      nowhere: { command: ['/there/is/no/such/program'] },
      own_says_little: { command: fixture('no-capabilities') },
      shared_says_little: { command: fixture('no-capabilities'), mode: 'daemon' },
    },
  },
)
const post = (tool: string, method: string, params: object) =>
  raw(`${gateway.url}/mcp/${tool}`, {
    method: 'POST',
    headers: { accept: ACCEPT },
    body: { jsonrpc: '2.0', id: 'mine', method, params },
  })
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
}

test('initialize of a tool whose program is missing is answered with its id', async () => {
  const reply = await post('nowhere', 'initialize', INITIALIZE)
  assert.equal(reply.status, 200)
  assert.equal(reply.json().id, 'mine')
  assert.equal(errorOf(reply.json()).code, -32012)
  assert.equal(reply.headers['mcp-session-id'], undefined)
})

for (const mode of ['own', 'shared'])
  test(`a tool without capabilities is refused with what is missing: ${mode} process`, async () => {
    const tool = `${mode}_says_little`
    const rest = await until('it to be looked at', async () => {
      const reply = await callRest(gateway, tool, 'hi')
      return reply.status === 503 ? undefined : reply
    })
    assert.equal(rest.status, 502)
    assert.match(rest.text, /capabilities/)
    const alone = await post(tool, 'tools/call', { name: 'hi', arguments: {} })
    assert.equal(alone.json().id, 'mine')
    assert.match(errorOf(alone.json()).message, /capabilities/)
  })

test('initialize of a shared tool without capabilities says so', async () => {
  const reply = await post('shared_says_little', 'initialize', INITIALIZE)
  assert.equal(reply.json().id, 'mine')
  assert.match(errorOf(reply.json()).message, /capabilities/)
})
