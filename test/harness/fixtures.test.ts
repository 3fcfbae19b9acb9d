import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect } from './clients.ts'
import { fixture } from './fixtures.ts'
import { type Json, openPipe, type Pipe } from './pipe.ts'
import { isAlive, marked } from './processes.ts'
import { resultOf, textOf } from './session.ts'
import { until } from './until.ts'

test('echo answers with arguments, a failure, an error and where it runs', async (t) => {
  const pipe = await open(t, 'echo')
  assert.equal(textOf(await call(pipe, 'echo', { a: 'ü' })), '{"a":"ü"}')
  assert.equal(resultOf(await call(pipe, 'fail')).isError, true)
  const { error } = await call(pipe, 'error')
  assert.deepEqual(error, { code: -32050, message: 'no luck', data: { why: 'because' } })
  assert.equal(JSON.parse(textOf(await call(pipe, 'where'))).pid, pipe.pid)
})

test('never-answers is silent from its first wait on', async (t) => {
  const pipe = await open(t, 'never-answers')
  const before = pipe.lines.length
  pipe.send({ id: 5, method: 'tools/call', params: { name: 'wait', arguments: {} } })
  pipe.send({ id: 6, method: 'ping' })
  await new Promise((later) => setTimeout(later, 300))
  assert.equal(pipe.lines.length, before)
})

test('dies-mid-call ends with code 7', async (t) => {
  const pipe = await open(t, 'dies-mid-call')
  pipe.send({ id: 1, method: 'tools/call', params: { name: 'die', arguments: {} } })
  assert.equal(await pipe.exit, 7)
})

test('exits-at-start ends with code 3', async (t) => {
  assert.equal(await openPipe(t, fixture('exits-at-start')).exit, 3)
})

test('the floods end and answer', async (t) => {
  for (const name of ['floods-stdout', 'floods-stderr']) {
    const pipe = await open(t, name)
    assert.equal(textOf(await call(pipe, 'flood', { megabytes: 3 })), 'flooded')
  }
})

test('ignores-term outlives the end of its stdin and TERM', async (t) => {
  const pipe = await open(t, 'ignores-term')
  pipe.endStdin()
  process.kill(pipe.pid, 'SIGTERM')
  await new Promise((later) => setTimeout(later, 300))
  assert.ok(isAlive(pipe.pid))
  process.kill(pipe.pid, 'SIGKILL')
  assert.equal(await pipe.exit, 'SIGKILL')
})

test('leaves-grandchild leaves one', async (t) => {
  const mark = `mark-${process.pid}`
  const pipe = openPipe(t, [...fixture('leaves-grandchild').slice(0, -1), mark])
  const grandchild = Number(textOf(await call(pipe, 'spawn')))
  t.after(() => process.kill(grandchild, 'SIGKILL'))
  pipe.endStdin()
  await pipe.exit
  assert.deepEqual(marked(mark), [grandchild])
})

test('splits-utf8 writes whole characters in the end', async (t) => {
  const pipe = await open(t, 'splits-utf8')
  assert.equal(textOf(await call(pipe, 'split')), 'héllo 🌍 \u2028 done')
})

test('endless-line never ends its line', async (t) => {
  const pipe = await open(t, 'endless-line')
  const lines = pipe.lines.length
  pipe.send({ id: 5, method: 'tools/call', params: { name: 'begin', arguments: {} } })
  await new Promise((later) => setTimeout(later, 200))
  assert.equal(pipe.lines.length, lines)
})

test('prints-noise prints what is no message around its answers', async (t) => {
  const pipe = await open(t, 'prints-noise')
  assert.equal(textOf(await call(pipe, 'noise')), 'clean')
  await until('the noise after it', () => pipe.lines.includes('done'))
  assert.equal(pipe.lines[0], 'Starting up...')
})

test('slow-start answers what was sent before it started', async (t) => {
  const pipe = openPipe(t, fixture('slow-start', '300'))
  assert.equal(Number(textOf(await call(pipe, 'pid'))), pipe.pid)
})

test('counts-calls counts', async (t) => {
  const pipe = await open(t, 'counts-calls')
  await call(pipe, 'count')
  assert.equal(JSON.parse(textOf(await call(pipe, 'count', { tag: 'b' }))).calls, 2)
})

test('asks passes on what it was told', async (t) => {
  const pipe = await open(t, 'asks')
  const asking = call(pipe, 'ask', { method: 'roots/list' })
  const { id } = await pipe.waitFor('what it asks', ({ method }) => method === 'roots/list')
  pipe.send({ id, result: { roots: [] } })
  assert.equal(textOf(await asking), '{"roots":[]}')
})

test('progress sends 40 and the answer', async (t) => {
  const pipe = await open(t, 'progress')
  const _meta = { progressToken: 'p' }
  await pipe.request('tools/call', { name: 'burst', arguments: {}, _meta })
  assert.equal(pipe.lines.filter((line) => line.includes('notifications/progress')).length, 40)
})

test('crlf ends its lines with CRLF', async (t) => {
  const pipe = await open(t, 'crlf')
  assert.equal(textOf(await call(pipe, 'echo', { a: 1 })), '{"a":1}')
  assert.ok(pipe.lines.every((line) => line.endsWith('\r')))
})

test('big-result is as big as it is asked for', async (t) => {
  const pipe = await open(t, 'big-result')
  assert.equal(textOf(await call(pipe, 'big', { bytes: 500_000 })).length, 500_000)
})

test('dies-on-cancel and answers-cancel do', async (t) => {
  const [dies, answers] = [await open(t, 'dies-on-cancel'), await open(t, 'answers-cancel')]
  for (const pipe of [dies, answers]) {
    pipe.send({ id: 'w', method: 'tools/call', params: { name: 'wait', arguments: {} } })
    pipe.send({ method: 'notifications/cancelled', params: { requestId: 'w', reason: 'why' } })
  }
  assert.equal(await dies.exit, 9)
  assert.equal(textOf(await answers.waitFor('its answer', ({ id }) => id === 'w')), 'why')
  assert.equal(textOf(await call(answers, 'cancelled')), '1')
})

test('wrong-ids answers right among the wrong', async (t) => {
  const pipe = await open(t, 'wrong-ids')
  assert.equal(textOf(await call(pipe, 'answer')), 'right')
})

test('announces says everything once', async (t) => {
  const pipe = await open(t, 'announces')
  await pipe.request('resources/subscribe', { uri: 'it://one' })
  await call(pipe, 'announce')
  const said = pipe.lines.filter((line) => line.includes('"notifications/'))
  assert.equal(said.length, 5)
})

test('an official client of each library speaks to a fixture over stdio', async (t) => {
  for (const library of ['sdk', 'client'] as const) {
    const client = await connect(t, library, { command: fixture('echo') })
    const answer = await client.request('tools/call', { name: 'echo', arguments: { x: 1 } })
    assert.deepEqual(answer, { content: [{ type: 'text', text: '{"x":1}' }] })
  }
})

async function open(t: TestContext, name: string): Promise<Pipe> {
  const pipe = openPipe(t, fixture(name))
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 't', version: '1' },
  }
  assert.ok(resultOf(await pipe.request('initialize', params)).capabilities)
  pipe.send({ method: 'notifications/initialized' })
  return pipe
}

function call(pipe: Pipe, name: string, args: Json = {}): Promise<Json> {
  return pipe.request('tools/call', { name, arguments: args })
}
