import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, openSession, textOf } from '../harness/session.ts'
import { toolReady } from '../harness/tool-view.ts'

const source = (description: string) => ({
  description,
  command: fixture('counts-calls'),
  mode: 'daemon',
})
const gateway = await startGateway({ after }, { tools: { edited: source('one') } })

test('a file edited and edited back is served while and after a session holds the first version', async () => {
  const url = `${gateway.url}/mcp/edited`
  const params = { name: 'count', arguments: {} }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  const call = async () => {
    const reply = await raw(url, { method: 'POST', headers: { accept: ACCEPT }, body })
    return JSON.parse(textOf(reply.json())).pid
  }
  const session = await openSession(url)
  await session.callText('count')
  for (const description of ['two', 'one']) {
    gateway.tools.write('edited', source(description))
    await toolReady(gateway, 'edited', description)
    assert.ok(Number(await call()) > 0)
  }
  assert.ok(JSON.parse(await session.callText('count')).pid > 0)
  await session.end()
  for (let calls = 0; calls < 20; calls++) assert.ok(Number(await call()) > 0)
})
