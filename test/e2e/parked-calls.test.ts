import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern } from '../harness/modern.ts'
import { errorOf, type Json, resultOf, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const QUESTION = {
  method: 'elicitation/create',
  params: { message: 'Well?', requestedSchema: { type: 'object', properties: {} } },
}
const CLIENT = { capabilities: { elicitation: { form: {} }, roots: {} } }

test('a call that waits on an older version gives its process up, and its state is refused', async (t) => {
  const asks = { command: fixture('asks'), era: 'legacy' } as const
  const gateway = await startGateway(t, { tools: { asks } })
  const call = (more: Json = {}) =>
    modern(
      `${gateway.url}/mcp/asks`,
      'tools/call',
      { name: 'ask', arguments: QUESTION, ...more },
      CLIENT,
    )
  const { resultType, requestState } = resultOf((await call()).json())
  assert.equal(resultType, 'input_required')
  gateway.tools.write('asks', { ...asks, description: 'Asks, in other words.' })
  await until('no process to be left', () => gateway.processes().length === 0, 20_000)
  const { code, message } = errorOf((await call({ requestState, inputResponses: {} })).json())
  assert.equal(code, -32602)
  assert.match(message, /another version.*Call again/)
})

test('a legacy tool that asks while it lists is told that nobody can be asked then', async (t) => {
  const tools = { asks: { command: fixture('asks-while-listed'), era: 'legacy' } } as const
  const gateway = await startGateway(t, { tools })
  const url = `${gateway.url}/mcp/asks`
  const listed = resultOf((await modern(url, 'tools/list', {}, CLIENT)).json())
  assert.equal(listed.resultType, 'complete')
  assert.match(JSON.stringify(listed.tools), /no client that can be asked/)
  const call = { name: 'roots', arguments: {} }
  const asked = resultOf((await modern(url, 'tools/call', call, CLIENT)).json())
  const { inputRequests, requestState } = asked as { inputRequests: Json; requestState: string }
  const inputResponses = Object.fromEntries(
    Object.keys(inputRequests).map((key) => [key, { roots: [] }]),
  )
  const answered = await modern(
    url,
    'tools/call',
    { ...call, inputResponses, requestState },
    CLIENT,
  )
  assert.equal(textOf(answered.json()), '{"roots":[]}')
})
