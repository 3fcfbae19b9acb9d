import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { errorOf, openSession, type Session, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const tool = {
  command: fixture('closes-a-pipe'),
  timeout: '30s',
  limits: { calls: 10_000, per: '1s' },
}
const gateway = await startGateway(
  { after },
  {
    config: { timeouts: { stdin: '300ms', term: '300ms' } },
    tools: { own: tool, shared: { ...tool, mode: 'daemon' } },
  },
)
const open = (name: string) => openSession(`${gateway.url}/mcp/${name}`)
const call = (session: Session, name: string) =>
  session.request('tools/call', { name, arguments: {} })

for (const name of ['own', 'shared'])
  for (const pipe of ['stdin', 'stdout'])
    test(`a tool's ${name} process that closes its ${pipe} is ended, and its call told so`, async () => {
      const session = await open(name)
      const pid = Number(await session.callText('pid'))
      const since = performance.now()
      // After its stdin is closed it can still answer: the next call is the one that cannot be.
      if (pipe === 'stdin') await call(session, 'stdin')
      const told = errorOf(await call(session, pipe === 'stdin' ? 'pid' : 'stdout'))
      assert.ok([-32010, -32001].includes(told.code), JSON.stringify(told))
      const took = performance.now() - since
      assert.ok(took < 8000, `told after ${took} ms`)
      await until('the process to be gone', () => !isAlive(pid))
      if (name === 'shared') assert.notEqual(await nextPid(session), pid)
      await session.end()
    })

async function nextPid(session: Session): Promise<number> {
  const answer = await until('another process to answer', async () => {
    const answer = await call(session, 'pid')
    return answer.result === undefined ? undefined : answer
  })
  return Number(textOf(answer))
}
