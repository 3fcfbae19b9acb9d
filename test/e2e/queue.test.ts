import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { abortRequest, raw } from '../harness/raw.ts'
import { allLearned } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const key = (id: string) => ({
  id,
  hash: `sha256:${createHash('sha256').update(id).digest('hex')}`,
})
const gateway = await startGateway(
  { after },
  {
    config: {
      keys: [key('ada'), key('bob')],
      limits: { calls: 10_000, per: '1s' },
      sessions: { perTool: 1 },
      pool: { queue: 2, wait: '6s' },
    },
    tools: { counts: { command: fixture('counts-calls') } },
  },
)
const ADA = { authorization: 'Bearer ada' }
const BOB = { authorization: 'Bearer bob' }
await allLearned(gateway)

const call = (args: object = {}, headers: Record<string, string> = ADA) =>
  raw(`${gateway.url}/v1/tools/counts/count`, { method: 'POST', body: args, headers })
const metricsUrl = async () => {
  const { metricsUrl } = await gateway.waitForLog('metrics', ({ msg }) => msg === 'listening')
  return String(metricsUrl)
}
const waiting = async () => {
  const { text } = await raw(await metricsUrl())
  return Number(/^mcp_gateway_queue_length\{tool="counts"\} (\d+)$/m.exec(text)?.[1] ?? 0)
}

test('calls past the cap wait for their turn, those past the queue are refused with 429', async () => {
  const first = call({ wait: 3000 })
  await until('it to run', async () => JSON.stringify(await running()).includes('counts'))
  const queued = [call(), call()]
  await until('both to wait', async () => (await waiting()) === 2)
  const refused = await call()
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers['retry-after']) > 0)
  assert.match(refused.text, /pool\.queue/)
  assert.equal((await first).status, 200)
  for (const each of queued) assert.equal((await each).status, 200)
  assert.equal(await waiting(), 0)
})

test('who waits too long is told so with 503', async () => {
  const first = call({ wait: 8000 })
  await until('it to run', async () => JSON.stringify(await running()).includes('counts'))
  const late = await call({}, BOB)
  assert.equal(late.status, 503)
  assert.ok(Number(late.headers['retry-after']) > 0)
  assert.match(late.text, /sessions\.perTool.*pool\.wait/)
  assert.equal((await first).status, 200)
})

test('who leaves waits no longer', async () => {
  const first = call({ wait: 2500 })
  const url = `${gateway.url}/v1/tools/counts/count`
  const options = { method: 'POST', body: {}, headers: ADA }
  await Promise.all([1, 2, 3, 4, 5].map((each) => abortRequest(url, options, each * 100)))
  await until('nobody to wait', async () => (await waiting()) === 0, 1000)
  assert.equal((await first).status, 200)
})

async function running() {
  const { running } = (await raw(`${gateway.url}/v1/tools/counts`, { headers: ADA })).json()
  return running
}
