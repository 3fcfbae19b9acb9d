import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openSession } from '../harness/session.ts'

const gateway = await startGateway(
  { after },
  {
    tools: {
      neighbour: { command: fixture('echo') },
      shared: { command: fixture('deep-messages'), mode: 'daemon' },
      own: { command: fixture('deep-messages') },
      logs: { command: fixture('sends-logs'), mode: 'daemon' },
    },
  },
)
const open = (tool: string) => openSession(`${gateway.url}/mcp/${tool}`)

for (const tool of ['shared', 'own'])
  for (const name of ['update', 'progress', 'log'])
    test(`a ${name} that is no sense from a tool's ${tool} process takes nobody down`, async () => {
      const neighbour = await open('neighbour')
      const session = await open(tool)
      const listening = await session.listen()
      const params = { name, arguments: {}, _meta: { progressToken: 'p' } }
      const stream = await session.stream('tools/call', params, 'called')
      await stream.closed
      assert.match(await stream.text(), /"called"/)
      assert.equal(await neighbour.callText('echo', { still: 'there' }), '{"still":"there"}')
      assert.doesNotMatch(JSON.stringify(gateway.logs) + gateway.stderr(), /uncaught|unhandled/i)
      listening.abort()
      await Promise.all([session.end(), neighbour.end()])
    })

test('log messages of a shared tool are bounded in the log', async () => {
  const session = await open('logs')
  const all = gateway.waitForLog('the end', ({ line }) => line === 'all sent')
  assert.equal(await session.callText('flood', { n: 20_000, size: 100 }), 'soon')
  await all
  assert.ok(Number(await session.callText('pid')) > 0)
  const lines = gateway.logs.filter(({ tool }) => tool === 'logs').length
  assert.ok(lines > 10 && lines < 2000, `${lines} log lines`)
  await session.end()
})
