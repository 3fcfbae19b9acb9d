import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { errorOf, messageIn, openSession, textOf } from '../harness/session.ts'
import { until, within } from '../harness/until.ts'

test('at the end of the drain time the open calls of a shared tool are told', async (t) => {
  const gateway = await startGateway(t, {
    config: { timeouts: { drain: '1s', stdin: '500ms', term: '500ms' } },
    tools: { shared: { command: fixture('never-pings'), mode: 'daemon' } },
  })
  const session = await openSession(`${gateway.url}/mcp/shared`)
  const call = await session.stream('tools/call', { name: 'hang', arguments: {} }, 'open')
  gateway.signal('SIGTERM')
  const told = await call.waitFor('an answer', ({ data }) => data.includes('"open"'))
  assert.ok(errorOf(messageIn(told)).code < 0)
  assert.equal(await within(10_000, 'the gateway to end', gateway.exit), 0)
})

test('when a shared process is given up its other calls keep the time of the tool', async (t) => {
  const gateway = await startGateway(t, {
    config: { timeouts: { call: '100ms' } },
    tools: { shared: { command: fixture('never-pings'), mode: 'daemon', timeout: '4s' } },
  })
  const session = await openSession(`${gateway.url}/mcp/shared`)
  const pid = await session.callText('pid')
  const hanging = await session.request('tools/call', { name: 'hang', arguments: {} })
  assert.equal(errorOf(hanging).code, -32016)
  const file = join(gateway.workspace, 'there')
  const other = await session.stream('tools/call', { name: 'until', arguments: { file } }, 'other')
  await until('a new process', async () => {
    const answer = await session.request('tools/call', { name: 'pid', arguments: {} })
    return answer.result !== undefined && textOf(answer) !== pid
  })
  // Longer than timeouts.call, within the timeout of the tool.
  await new Promise((later) => setTimeout(later, 400))
  writeFileSync(file, '')
  const answer = await other.waitFor('its answer', ({ data }) => data.includes('"other"'))
  assert.equal(textOf(messageIn(answer)), 'there')
  await session.end()
})
