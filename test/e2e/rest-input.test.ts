import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { type Gateway, startGateway } from '../harness/gateway.ts'
import { type Reply, raw } from '../harness/raw.ts'
import { until } from '../harness/until.ts'

const INLINE = `
import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

const form = { type: 'object', properties: { name: { type: 'string' } } }
const question = (message) => ({
  name: { method: 'elicitation/create', params: { message, requestedSchema: form } },
})

export default defineTool({
  description: 'Asks who calls.',
  runtime: inline({
    greet: fn({
      description: 'Greets its caller.',
      input: z.object({ word: z.string() }),
      output: z.object({ text: z.string() }),
      async run({ word }, { ask, progress }) {
        await progress(1, 2)
        const { name } = await ask(question('Who are you?'))
        await progress(2, 2)
        return { text: \`\${word}, \${name.content?.name ?? name.action}!\` }
      },
    }),
  }),
})
`
const key = (id: string) => ({
  id,
  hash: `sha256:${createHash('sha256').update(`key-of-${id}`).digest('hex')}`,
})
const as = (id: string) => ({ authorization: `Bearer key-of-${id}` })
const tools = {
  inline: INLINE,
  legacy: { command: fixture('asks'), idle: '1m' },
  daemon: { command: fixture('asks'), mode: 'daemon' },
  modern: { command: fixture('modern-echo') },
}
const keys = [key('ann'), key('bob')]
const gateway = await startGateway({ after }, { tools, config: { keys } })
const FORM = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } },
}
const ADA = { action: 'accept', content: { name: 'Ada' } }

interface Sent {
  readonly to?: Gateway
  readonly by?: string
  readonly accept?: string
}

function post(path: string, body: object, { to = gateway, by = 'ann', accept }: Sent = {}) {
  const headers = { ...as(by), ...(accept !== undefined && { accept }) }
  return raw(to.url + path, { method: 'POST', headers, body })
}

const call = (path: string, body: object, sent: Sent = {}) => post(`/v1/tools/${path}`, body, sent)

/** Functions are called by name once they are known. */
async function learned({ url }: Gateway): Promise<void> {
  await until('every tool to be learned', async () => {
    const { text } = await raw(`${url}/v1/tools`, { headers: as('ann') })
    const { tools } = JSON.parse(text) as { tools: readonly { state: string }[] }
    return tools.every(({ state }) => state === 'ready')
  })
}
await learned(gateway)

interface Asked {
  readonly code: string
  readonly detail: string
  readonly continuation: string
  readonly inputRequests: Readonly<Record<string, { readonly params: { message: string } }>>
}

function asked(reply: Reply): Asked {
  assert.equal(reply.status, 409, reply.text)
  return reply.json() as unknown as Asked
}

/** Goes on with what was asked, with one answer for each question. */
function go({ continuation, inputRequests }: Asked, answer: object = ADA, sent: Sent = {}) {
  const keys = Object.keys(inputRequests)
  const inputResponses = Object.fromEntries(keys.map((each) => [each, answer]))
  return post('/v1/continuations', { continuation, inputResponses }, sent)
}

const textIn = (reply: Reply) => {
  const { content } = reply.json() as { content: readonly { text: string }[] }
  return content[0]?.text ?? ''
}

test('an inline function asks over REST, and answers as it would have', async () => {
  const first = asked(await call('inline/greet', { word: 'Hello' }))
  assert.equal(first.code, 'input_required')
  const [question] = Object.values(first.inputRequests)
  assert.equal(question?.params.message, 'Who are you?')
  const last = await go(first)
  assert.equal(last.status, 200, last.text)
  assert.deepEqual(last.json(), { text: 'Hello, Ada!' })
})

test('its progress goes to whoever waits', async () => {
  const accept = 'text/event-stream'
  const { events } = await call('inline/greet', { word: 'Hi' }, { accept })
  assert.deepEqual(
    events.map(({ event }) => event),
    ['progress', 'error'],
  )
  const problem = JSON.parse(events[1]?.data ?? '')
  assert.equal(problem.status, 409)
  const last = await go(problem, { action: 'decline' }, { accept })
  assert.deepEqual(
    last.events.map(({ event, data }) => [event, JSON.parse(data)]),
    [
      ['progress', { progress: 2, total: 2 }],
      ['result', { text: 'Hi, decline!' }],
    ],
  )
})

test('a legacy tool asks over REST, through a process of its caller', async () => {
  const first = asked(await call('legacy/ask', FORM))
  const [question] = Object.values(first.inputRequests)
  assert.deepEqual(question?.params, FORM.params)
  assert.deepEqual(JSON.parse(textIn(await go(first))), ADA)
})

test('calls that wait do not hold up others, and each gets its own answer', async () => {
  const count = 4
  const waiting = await Promise.all(Array.from({ length: count }, () => call('legacy/ask', FORM)))
  const answers = await Promise.all(
    waiting.toReversed().map(async (reply, at) => {
      return JSON.parse(textIn(await go(asked(reply), { action: 'accept', content: { at } })))
    }),
  )
  assert.deepEqual(
    answers.map(({ content }) => content.at),
    Array.from({ length: count }, (_, at) => at),
  )
})

test('a legacy tool that asks for more than a client of REST can answer is told so', async () => {
  const reply = await call('legacy/ask', { method: 'roots/list' })
  assert.equal(reply.status, 200, reply.text)
  assert.match(textIn(reply), /"error"/)
})

test('a daemon that is shared by all asks nobody', async () => {
  assert.match(textIn(await call('daemon/ask', FORM)), /"error"/)
})

test('a modern tool asks over REST as often as it likes', async () => {
  let reply = await call('modern/ask', { rounds: 3 })
  for (const round of [1, 2, 3]) {
    const question = asked(reply)
    assert.equal(question.inputRequests.name?.params.message, `What is name ${round}?`)
    reply = await go(question, { action: 'accept', content: { name: `Ada ${round}` } })
  }
  assert.equal(textIn(reply), 'Ada 1, Ada 2, Ada 3')
})

test('what is missing is asked again, what was given is kept', async () => {
  const requests = { a: FORM, b: FORM }
  const first = asked(await call('modern/asks', { requests }))
  const inputResponses = { b: { action: 'decline' }, other: {} }
  const { continuation } = first
  const second = asked(await post('/v1/continuations', { continuation, inputResponses }))
  assert.deepEqual(Object.keys(second.inputRequests), ['a'])
  const told = JSON.parse(textIn(await go(second))).inputResponses
  assert.deepEqual(told, { a: ADA, b: { action: 'decline' } })
})

test('POST /mcp/invoke asks in the same way', async () => {
  const body = { tool_name: 'modern__ask', arguments: {} }
  assert.equal(textIn(await go(asked(await post('/mcp/invoke', body)))), 'Ada')
})

test('nobody else goes on with a call, nobody with a forgery, and nobody twice', async () => {
  const first = asked(await call('modern/ask', {}))
  const refused = async (reply: Promise<Reply>, told: RegExp) => {
    const { status, text } = await reply
    assert.equal(status, 400, text)
    assert.match(text, told)
    assert.match(text, /invalid_params.*Call again|Call again.*invalid_params/)
  }
  await refused(go(first, ADA, { by: 'bob' }), /belongs to another request/)
  const { continuation } = first
  await refused(go({ ...first, continuation: `x${continuation}` }), /not signed here/)
  assert.equal((await go(first)).status, 200)
  await refused(go(first), /already/)
})

test('a call that waits holds its process, and both end in time', async (t) => {
  const config = { keys, timeouts: { ask: '1500ms' } }
  const short = await startGateway(t, { tools: { legacy: tools.legacy }, config })
  await learned(short)
  await until('the process that was asked to be gone', () => short.processes().length === 0)
  const first = asked(await call('legacy/ask', FORM, { to: short }))
  assert.equal(short.processes().length, 1)
  const line = await short.waitForLog('the end of the call', ({ msg, outcome }) => {
    return msg === 'call' && outcome === 'timeout'
  })
  assert.ok(Number(line.duration) >= 1490, `${line.duration} ms`)
  await until('its process to be gone', () => short.processes().length === 0)
  const late = await go(first, ADA, { to: short })
  assert.equal(late.status, 400, late.text)
  assert.match(late.text, /expired.*Call again/)
})

test('the calls that wait are bounded, counted, and end with the gateway', async (t) => {
  const config = { keys, sessions: { parked: 2 } }
  const small = await startGateway(t, { tools: { legacy: tools.legacy }, config })
  await learned(small)
  const begin = (by: string) => call('legacy/ask', FORM, { to: small, by })
  asked(await begin('ann'))
  asked(await begin('ann'))
  const refused = await begin('ann')
  assert.equal(refused.status, 503)
  assert.match(refused.text, /sessions\.parked/)
  asked(await begin('bob'))
  const { metricsUrl } = await small.waitForLog('listening', ({ msg }) => msg === 'listening')
  assert.match((await raw(`${metricsUrl}`)).text, /^mcp_gateway_requests_parked 3$/m)
  small.signal('SIGTERM')
  assert.equal(await small.exit, 0)
  const ended = small.logs.filter(({ msg, outcome }) => msg === 'call' && outcome !== 'ok')
  assert.deepEqual(
    ended.map(({ outcome }) => outcome),
    ['unavailable', 'shutting_down', 'shutting_down', 'shutting_down'],
  )
})
