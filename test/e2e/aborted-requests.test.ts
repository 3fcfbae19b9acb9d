import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { openDescriptors } from '../harness/processes.ts'
import { abortRequest } from '../harness/raw.ts'
import { ACCEPT, openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const limits = { calls: 1_000_000, per: '1s' }
const gateway = await startGateway(
  { after },
  {
    config: { sessions: { resume: '1s' }, limits },
    tools: {
      echo: { command: fixture('echo'), limits },
      waits: { command: fixture('answers-cancel'), limits, timeout: '5s' },
      shared: { command: fixture('counts-calls'), limits, mode: 'daemon' },
    },
  },
)

test('1,000 aborted requests leave no process, no descriptor and no warning behind', async () => {
  const warm = await Promise.all(['echo', 'waits', 'shared'].map(open))
  await Promise.all(warm.map((session) => session.end()))
  await settle()
  const before = openDescriptors(gateway.pid)

  const sessions = await Promise.all([...Array(4).fill('echo'), 'waits', 'shared'].map(open))
  const calls = [...Array(4).fill(['where', {}]), ['wait', {}], ['count', { wait: 20 }]]
  for (let round = 0; round < 20; round++)
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const at = index % sessions.length
        const [name, args] = calls[at]
        const { url = '', headers = {} } = sessions[at] ?? {}
        const params = { name, arguments: args, _meta: { progressToken: index } }
        const body = { jsonrpc: '2.0', id: round * 50 + index, method: 'tools/call', params }
        return abortRequest(url, { method: 'POST', headers, body }, index % 4)
      }),
    )
  for (const session of sessions)
    assert.equal((await session.request('ping')).id !== undefined, true)
  await Promise.all(sessions.map((session) => session.end()))
  await settle()
  await until('descriptors to be back', () => openDescriptors(gateway.pid) <= before + 2, 10_000)
  const made = gateway.logs.filter(({ msg }) => msg === 'call').length
  assert.ok(made >= 900, `${made} calls were made`)
  assert.doesNotMatch(gateway.stderr(), /MaxListenersExceeded|Unhandled|heap/)
})

test('aborted requests without a session leave nothing either', async () => {
  const url = `${gateway.url}/mcp/echo`
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  const before = openDescriptors(gateway.pid)
  for (let round = 0; round < 5; round++)
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        abortRequest(url, { method: 'POST', headers: { accept: ACCEPT }, body }, index * 5),
      ),
    )
  await settle()
  await until('descriptors to be back', () => openDescriptors(gateway.pid) <= before + 2, 10_000)
})

function open(tool: string) {
  return openSession(`${gateway.url}/mcp/${tool}`)
}

/** Only the one shared process stays. */
async function settle(): Promise<void> {
  await until('processes to be gone', () => gateway.processes().length <= 1, 10_000)
}
