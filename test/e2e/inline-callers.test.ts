import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startGateway } from '../harness/gateway.ts'
import { raw } from '../harness/raw.ts'
import { ACCEPT, type Json, messageIn, openSession, resultOf, textOf } from '../harness/session.ts'

const TOOL = (mode: string) => `
import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Asks, and says what it was told.',
  mode: '${mode}',
  runtime: inline({
    ask: fn({
      description: 'x',
      input: z.object({ name: z.string() }),
      run: async ({ name }, { ask, log }) => {
        log('debug', 'asking ' + name)
        log('info', 'asks ' + name)
        const params = { mode: 'form', message: name, requestedSchema: { type: 'object', properties: {} } }
        const { form } = await ask({ form: { method: 'elicitation/create', params } })
        return name + ' ' + JSON.stringify(form)
      },
    }),
  }),
})
`

const gateway = await startGateway(
  { after },
  {
    config: { limits: { calls: 1_000_000, per: '1s' } },
    tools: { shared: TOOL('daemon'), own: TOOL('launcher') },
  },
)
const ask = (name: string) => ({ name: 'ask', arguments: { name } })
const logged = ({ params }: Json) => String((params as Json | undefined)?.data)

test('on one process every session is asked its own question, and sees its own logs', async () => {
  const url = `${gateway.url}/mcp/shared`
  const options = { capabilities: { elicitation: {} } }
  const rounds = Array.from({ length: 20 }, async (_, at) => {
    const session = await openSession(url, options)
    const stream = await session.stream('tools/call', ask(`c${at}`), 1)
    const question = await stream.waitFor('its question', ({ data }) => data.includes('"mode"'))
    const { id, params } = messageIn(question)
    assert.deepEqual(params, {
      mode: 'form',
      message: `c${at}`,
      requestedSchema: { type: 'object', properties: {} },
    })
    await session.respond(id, { action: 'accept', content: { at } })
    await stream.closed
    const messages = stream.events.filter(({ data }) => data !== '').map(messageIn)
    const answer = messages.at(-1) ?? {}
    assert.equal(textOf(answer), `c${at} {"action":"accept","content":{"at":${at}}}`)
    const logs = messages.filter(({ method }) => method === 'notifications/message')
    assert.deepEqual(logs.map(logged), [`asks c${at}`])
    assert.doesNotMatch(JSON.stringify(messages), /toolgate\/callId/)
    await session.end()
  })
  await Promise.all(rounds)
})

test('a session’s level is its own', async () => {
  const url = `${gateway.url}/mcp/shared`
  const sessions = await Promise.all(
    ['debug', 'error', undefined].map(async (level) => {
      const session = await openSession(url)
      if (level !== undefined) await session.request('logging/setLevel', { level })
      return session
    }),
  )
  const heard = sessions.map(async (session) => {
    const stream = await session.stream('tools/call', ask('x'), 1)
    await stream.closed
    return stream.events.map(({ data }) => data).filter((data) => data.includes('"logger"')).length
  })
  assert.deepEqual(await Promise.all(heard), [2, 0, 1])
  await Promise.all(sessions.map((session) => session.end()))
})

test('a client that cannot be asked is told by the function', async () => {
  for (const tool of ['shared', 'own']) {
    const session = await openSession(`${gateway.url}/mcp/${tool}`)
    const answer = await session.request('tools/call', ask('x'))
    assert.equal(resultOf(answer).isError, true)
    assert.match(textOf(answer), /elicitation/)
    await session.end()
  }
})

test('a process of a session’s own asks its client itself', async () => {
  const session = await openSession(`${gateway.url}/mcp/own`, { capabilities: { elicitation: {} } })
  const stream = await session.stream('tools/call', ask('me'), 1)
  const question = await stream.waitFor('its question', ({ data }) => data.includes('"mode"'))
  assert.doesNotMatch(question.data, /toolgate/)
  await session.respond(messageIn(question).id, { action: 'cancel' })
  const answer = await stream.waitFor('its answer', ({ data }) => data.includes('"result"'))
  assert.equal(textOf(messageIn(answer)), 'me {"action":"cancel"}')
  await session.end()
})

test('a modern client answers by calling again', async () => {
  const url = `${gateway.url}/mcp/shared`
  const call = async (more: object = {}) => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
    }
    const params = { ...ask('new'), ...more, _meta }
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
    const headers = {
      accept: ACCEPT,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'ask',
    }
    return resultOf((await raw(url, { method: 'POST', headers, body })).json())
  }
  const asked = await call()
  assert.equal(asked.resultType, 'input_required')
  const [key = ''] = Object.keys(asked.inputRequests as object)
  const inputResponses = { [key]: { action: 'decline' } }
  const answered = await call({ inputResponses, requestState: asked.requestState })
  assert.equal(answered.resultType, 'complete')
  assert.equal(textOf({ result: answered }), 'new {"action":"decline"}')
})
