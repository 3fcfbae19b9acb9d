import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import type { RawStream } from '../harness/raw.ts'
import { openSession } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    config: { sizes: { events: '64MB' } },
    tools: { logs: { command: fixture('sends-logs'), timeout: '1s' } },
  },
)

for (const resumes of [true, false]) {
  const how = resumes ? 'resumes' : 'begins anew'
  test(`a client that stopped reading its stream and ${how} hears the tool on the new one`, async () => {
    const { session, stream, answer } = await stalled()
    const last = resumes ? stream.events.at(-1)?.id : undefined
    const again = await session.listen(last)
    assert.equal(again.status, 200)
    await again.waitFor('the last message', ({ data }) => data.includes('"750 x'), 15_000)
    if (resumes) {
      // What the tool said in one breath with its answer went with that.
      const heard = [...linesOf(answer.text), ...stream.events, ...again.events]
        .map(number)
        .filter((n) => n > 0)
      assert.deepEqual(
        heard,
        [...Array(750).keys()].map((n) => n + 1),
      )
    }
    assert.ok(Number(await session.callText('pid')) > 0)
    stream.abort()
    again.abort()
    await session.end()
  })
}

test('a tool whose client does not read is not ended as silent when a call times out', async () => {
  const { session, stream, pid } = await stalled()
  // Answered, or timed out behind the messages that nobody reads.
  await session.request('tools/call', { name: 'pid', arguments: {} })
  // The time in which a silent tool would be ended, and then some.
  await new Promise((later) => setTimeout(later, 2000))
  stream.resume()
  await stream.waitFor('the last message', ({ data }) => data.includes('"750 x'), 15_000)
  assert.equal(Number(await session.callText('pid')), pid)
  stream.abort()
  await session.end()
})

/** A session whose GET stream is full: nobody reads it, and the tool sends no more. */
async function stalled() {
  const session = await openSession(`${gateway.url}/mcp/logs`)
  const pid = Number(await session.callText('pid'))
  const stream = await session.listen()
  await stream.waitFor('the first event', () => true)
  stream.pause()
  const before = gateway.logs.length
  const sent = () => gateway.logs.slice(before).filter(({ line }) => /sent/.test(String(line)))
  const params = { name: 'flood', arguments: { n: 750, size: 20_000 } }
  const answer = await session.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  assert.match(answer.text, /"soon"/)
  await until('the tool to have begun', () => sent().length > 0)
  let [seen, since] = [0, performance.now()]
  await until('it to stand still', () => {
    if (sent().length > seen) [seen, since] = [sent().length, performance.now()]
    return performance.now() - since > 500
  })
  return { session, stream, answer, pid }
}

function linesOf(text: string): { data: string }[] {
  return text.split('\n').map((data) => ({ data }))
}

function number({ data }: Pick<RawStream['events'][number], 'data'>): number {
  return Number(/"data":"(\d+) /.exec(data)?.[1] ?? 0)
}
