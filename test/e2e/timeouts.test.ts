import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'
import { errorOf, messageIn, openSession, textOf } from '../harness/session.ts'
import { until } from '../harness/until.ts'

const gateway = await startGateway(
  { after },
  {
    config: { timeouts: { call: '3s', ask: '2s', stdin: '100ms', term: '100ms' } },
    tools: {
      silent: { command: fixture('never-answers'), timeout: '1s' },
      polite: { command: fixture('answers-cancel'), timeout: '1s' },
      fallback: { command: fixture('answers-cancel') },
      mortal: { command: fixture('dies-on-cancel'), timeout: '1s' },
      shared: { command: fixture('never-answers'), timeout: '1s', mode: 'daemon' },
      sharedPolite: { command: fixture('answers-cancel'), timeout: '1s', mode: 'daemon' },
      asks: { command: fixture('asks'), timeout: '500ms' },
    },
  },
)
const open = (tool: string, options = {}) => openSession(`${gateway.url}/mcp/${tool}`, options)
const WAIT = { name: 'wait', arguments: {} }

test('a call is answered at T with an error that names the limit, and a silent tool ended by T + 1 s', async () => {
  const session = await open('silent')
  const pid = Number(await session.callText('pid'))
  const since = performance.now()
  const { code, message } = errorOf(await session.request('tools/call', WAIT))
  const answered = performance.now() - since
  assert.equal(code, -32016)
  assert.match(message, /1000 ms|1 ?s/)
  assert.match(message, /timeout/)
  assert.ok(answered >= 990 && answered < 1700, `answered after ${answered} ms`)
  await until('the process to be gone', () => !isAlive(pid), 3000)
  const gone = performance.now() - since
  assert.ok(gone < 3200, `gone after ${gone} ms`)
  assert.equal((await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status, 404)
})

test('a tool that answers the cancel keeps its process and its session', async () => {
  const session = await open('polite')
  const pid = Number(await session.callText('pid'))
  assert.equal(errorOf(await session.request('tools/call', WAIT)).code, -32016)
  await new Promise((later) => setTimeout(later, 1500))
  assert.equal(Number(await session.callText('pid')), pid)
  assert.equal(await session.callText('cancelled'), '1')
  await session.end()
})

test("without a timeout of the tool's own the configuration's holds", async () => {
  const session = await open('fallback')
  const since = performance.now()
  const { message } = errorOf(await session.request('tools/call', WAIT))
  const answered = performance.now() - since
  assert.match(message, /timeouts\.call/)
  assert.ok(answered >= 2990 && answered < 3900, `answered after ${answered} ms`)
  await session.end()
})

test('a tool that dies of the cancel has been answered for already', async () => {
  const session = await open('mortal')
  assert.equal(errorOf(await session.request('tools/call', WAIT)).code, -32016)
  await until('the session to be gone', async () => {
    return (await session.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status === 404
  })
})

test('a shared tool that hangs is replaced, and the new one answers', async () => {
  const [ada, bob] = await Promise.all([open('shared'), open('shared')])
  assert.equal(await bob.callText('echo', { a: 1 }), '{"a":1}')
  assert.equal(errorOf(await ada.request('tools/call', WAIT)).code, -32016)
  await until('a new one', async () => {
    const answer = await bob.request('tools/call', { name: 'echo', arguments: { b: 2 } })
    return answer.result && textOf(answer) === '{"b":2}'
  })
  assert.equal(await ada.callText('echo', { c: 3 }), '{"c":3}')
  await Promise.all([ada.end(), bob.end()])
})

test('a shared tool that still listens stays', async () => {
  const session = await open('sharedPolite')
  const pid = await session.callText('pid')
  assert.equal(errorOf(await session.request('tools/call', WAIT)).code, -32016)
  await new Promise((later) => setTimeout(later, 1500))
  assert.equal(await session.callText('pid'), pid)
  await session.end()
})

test('time in which the client is asked does not count, and has a budget of its own', async () => {
  const session = await open('asks', { capabilities: { roots: {} } })
  const params = { name: 'ask', arguments: { method: 'roots/list' } }
  const patient = await session.stream('tools/call', params, 1)
  const asked = await patient.waitFor('the question', ({ data }) => data.includes('roots/list'))
  await new Promise((later) => setTimeout(later, 1000))
  await session.respond(messageIn(asked).id, { roots: [] })
  const answer = await patient.waitFor('the answer', (event) => messageIn(event).id === 1)
  assert.equal(textOf(messageIn(answer)), '{"roots":[]}')

  const since = performance.now()
  const never = await session.stream('tools/call', params, 2)
  const late = await never.waitFor('the answer', (event) => messageIn(event).id === 2)
  const { code, message } = errorOf(messageIn(late))
  assert.equal(code, -32016)
  assert.match(message, /timeouts\.ask/)
  assert.ok(performance.now() - since >= 1990)
  await session.end()
})

test('over REST a timeout is 504 and names the limit', async () => {
  const url = `${gateway.url}/v1/tools/polite/wait`
  const reply = await until('the function to be known', async () => {
    const reply = await raw(url, { method: 'POST', body: {} })
    return reply.status === 503 || reply.status === 404 ? undefined : reply
  })
  assert.equal(reply.status, 504)
  assert.match(String(reply.headers['content-type']), /^application\/problem\+json/)
  assert.match(reply.text, /1000 ms|1 ?s/)
})
