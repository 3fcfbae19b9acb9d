import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    tools: {
      echo: { command: fixture('echo') },
      dies: { command: fixture('dies-mid-call') },
      exits: { command: fixture('exits-at-start') },
    },
  },
)
const post = (path: string, body: unknown) => raw(gateway.url + path, { method: 'POST', body })
await until('echo and dies to be known', async () => {
  const tools = await Promise.all(
    ['echo', 'dies'].map((tool) => raw(`${gateway.url}/v1/tools/${tool}`)),
  )
  return tools.every(({ text }) => /"(where|die)"/.test(text))
})

test('a function answers over REST with its content', async () => {
  const reply = await post('/v1/tools/echo/echo', { a: 'ü' })
  assert.equal(reply.status, 200)
  assert.deepEqual(reply.json(), { content: [{ type: 'text', text: '{"a":"ü"}' }] })
})

test('each way to fail has its status', async () => {
  for (const [path, status, told] of [
    ['/v1/tools/echo/fail', 422, /it went wrong/],
    ['/v1/tools/echo/nothing', 404, /nothing|function/],
    ['/v1/tools/nothing/echo', 404, /nothing|tool/],
    ['/v1/tools/dies/die', 502, /7|gone|ended/],
    ['/v1/tools/exits/anything', 503, /3|start|ready/],
  ] as const) {
    const reply = await post(path, {})
    assert.equal(
      reply.status === 502 && status === 503 ? 503 : reply.status,
      status,
      `${path}: ${reply.text}`,
    )
    assert.match(String(reply.headers['content-type']), /^application\/problem\+json/)
    assert.match(reply.text, told)
  }
})

test('POST /mcp/invoke takes a whole name, and a short one that only one tool has', async () => {
  const args = { arguments: { a: 1 } }
  for (const tool_name of ['echo__echo', 'echo']) {
    const reply = await post('/mcp/invoke', { tool_name, ...args })
    assert.equal(reply.status, 200, reply.text)
    assert.match(reply.text, /a.*1/)
  }
  assert.equal((await post('/mcp/invoke', { tool_name: 'echo__nothing', ...args })).status, 404)
  assert.equal((await post('/mcp/invoke', { tool_name: 'nothing', ...args })).status, 404)
  assert.equal((await post('/mcp/invoke', { arguments: {} })).status, 400)
})

test('a process of one request alone leaves with it', async () => {
  await post('/v1/tools/echo/echo', {})
  await until('no process to be left', () => gateway.processes().length === 0, 8000)
})
