import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type LogLine, startGateway } from '../harness/gateway.ts'
import { memoryOf } from '../harness/processes.ts'
import { openSession } from '../harness/session.ts'
import type { ToolSource } from '../harness/tools-folder.ts'
import { leaveUnread, type Unread } from '../harness/unread.ts'
import { until } from '../harness/until.ts'

const MB = 1024 * 1024
/** So many answers of 8 MB are 480 MB. */
const MANY = 60
const limits = { calls: 1_000_000, per: '1s' }

test('answers that a client does not read are not all held', async (t) => {
  const { gateway, session } = await open(t, { command: fixture('big-result'), timeout: '5s' })
  const grown = grownOf(gateway.pid)
  const { url, headers } = session
  const unread: Unread[] = []
  let most = 0
  // A tool that is held back for who does not read answers no more: that is a bound too.
  const end = performance.now() + 6000
  while (unread.length < MANY && performance.now() < end) {
    const params = { name: 'big', arguments: { bytes: 8_000_000 } }
    const body = { jsonrpc: '2.0', id: unread.length, method: 'tools/call', params }
    const answer = leaveUnread(url, { headers, body })
    unread.push(answer)
    // One after another, so that none takes long enough to become an event stream.
    await until('an answer, or its end', () => answer.answered() || answer.closed())
    most = Math.max(most, grown())
  }
  for (const each of unread) each.abort()
  assert.ok(most < 350, `grew by ${most} MB`)
  await until('the tool to answer again', async () => {
    const again = await openSession(url)
    return (await again.callText('big', { bytes: 10 })).length === 10
  })
})

test('small events behind noise are not held with the noise', async (t) => {
  const { gateway, session } = await open(t, { command: fixture('floods-session') })
  const grown = grownOf(gateway.pid)
  for (const each of [session, await openSession(session.url), await openSession(session.url)]) {
    await each.callText('events', { n: 1000 })
  }
  await until('all to be sent', () => sent(gateway.logs) === 3, 15_000)
  assert.ok(grown() < 150, `grew by ${grown()} MB`)
})

test('questions with long ids are not held without bound', async (t) => {
  const { gateway, session } = await open(t, { command: fixture('floods-session') })
  const grown = grownOf(gateway.pid)
  await session.callText('questions', { n: 400 })
  await until('all to be sent, or the tool to be ended', () => {
    return sent(gateway.logs) === 1 || gateway.processes().length === 0
  })
  assert.ok(grown() < 200, `grew by ${grown()} MB`)
})

test('subscriptions to long addresses are not held without bound', async (t) => {
  const { gateway, session } = await open(t, {
    command: fixture('floods-session'),
    mode: 'daemon',
  })
  const grown = grownOf(gateway.pid)
  for (let n = 0; n < 300; n++)
    await session.request('resources/subscribe', { uri: `${n}${'u'.repeat(900_000)}` })
  assert.ok(grown() < 150, `grew by ${grown()} MB`)
})

async function open(t: TestContext, tool: Exclude<ToolSource, string>) {
  const gateway = await startGateway(t, { config: { limits }, tools: { it: { limits, ...tool } } })
  return { gateway, session: await openSession(`${gateway.url}/mcp/it`) }
}

/** By how many MB the memory of a process has grown since this was asked for. */
function grownOf(pid: number): () => number {
  const before = memoryOf(pid)
  return () => Math.round((memoryOf(pid) - before) / MB)
}

function sent(logs: readonly LogLine[]): number {
  return logs.filter(({ line }) => line === 'all sent').length
}
