import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { isAlive, openDescriptors } from '../harness/processes.ts'
import { errorOf, initialize, openSession, type Session, textOf } from '../harness/session.ts'
import { allLearned } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const hostile = (name: string, ...args: string[]) => ({
  command: fixture(name, ...args),
  timeout: '10s',
})
const gateway = await startGateway(
  { after },
  {
    config: {
      timeouts: { start: '2s', stdin: '300ms', term: '300ms' },
      sizes: { line: '4MB' },
      limits: { calls: 100_000, per: '1s' },
    },
    tools: {
      neighbour: hostile('echo'),
      dies: hostile('dies-mid-call'),
      exits: hostile('exits-at-start'),
      stdout: hostile('floods-stdout'),
      stderr: hostile('floods-stderr'),
      term: hostile('ignores-term'),
      grandchild: hostile('leaves-grandchild'),
      utf8: hostile('splits-utf8'),
      endless: hostile('endless-line'),
      noise: hostile('prints-noise'),
      slow: hostile('slow-start', '700'),
      late: hostile('slow-start', '60000'),
      crlf: hostile('crlf'),
      big: hostile('big-result'),
      ids: hostile('wrong-ids'),
      deaf: hostile('never-reads-stdin'),
      nowhere: { command: ['/there/is/no/such/program'] },
      errors: hostile('echo'),
    },
  },
)
const open = (tool: string) => openSession(`${gateway.url}/mcp/${tool}`)
const call = (session: Session, name: string, args: object = {}) =>
  session.request('tools/call', { name, arguments: args })
await allLearned(gateway)
const neighbour = await open('neighbour')

/** Nothing that a hostile tool does may keep a neighbour from answering, or leave a process. */
async function others(): Promise<void> {
  assert.equal(await neighbour.callText('echo', { still: 'there' }), '{"still":"there"}')
  await until('only the neighbour to be left', () => gateway.processes().length === 1, 6000)
}

test('a tool that dies during a call is answered with what happened to it', async () => {
  const session = await open('dies')
  const waiting = call(session, 'die')
  const { code, message } = errorOf(await waiting)
  assert.equal(code, -32010)
  assert.match(message, /7/)
  await others()
})

test('a tool that exits at its start is answered with its exit code, and its stderr is logged', async () => {
  const refused = await initialize(`${gateway.url}/mcp/exits`)
  assert.match(errorOf(refused.json()).message, /3/)
  await gateway.waitForLog('what it said', (line) =>
    JSON.stringify(line).includes('no licence found'),
  )
  await others()
})

test('a program that does not exist is answered as such', async () => {
  const refused = await initialize(`${gateway.url}/mcp/nowhere`)
  assert.match(errorOf(refused.json()).message, /start|ENOENT|not found/i)
  await others()
})

test('a flood on stdout is skipped, and the answer after it arrives', async () => {
  const session = await open('stdout')
  assert.equal(textOf(await call(session, 'flood', { megabytes: 20 })), 'flooded')
  assert.ok(logged('stdout') < 1000, `${logged('stdout')} log lines`)
  await session.end()
  await others()
})

test('a flood on stderr is bounded in the log, and the answer after it arrives', async () => {
  const session = await open('stderr')
  assert.equal(textOf(await call(session, 'flood', { megabytes: 20 })), 'flooded')
  assert.ok(logged('stderr') > 0 && logged('stderr') < 1000, `${logged('stderr')} log lines`)
  await session.end()
  await others()
})

test('a tool that ignores the end of its stdin and TERM is ended all the same', async () => {
  const session = await open('term')
  assert.ok(Number(await session.callText('pid')) > 0)
  await session.end()
  await others()
})

for (const detached of [false, true]) {
  const where = detached ? ' that left its process group' : ''
  const spawn = { name: 'spawn', arguments: { detached } }

  test(`a grandchild${where} ends with its session`, async () => {
    const session = await open('grandchild')
    const grandchild = Number(textOf(await session.request('tools/call', spawn)))
    assert.ok(isAlive(grandchild))
    await session.end()
    await until('the grandchild to be gone', () => !isAlive(grandchild), 6000)
    await others()
  })

  test(`a grandchild${where} ends when its parent has ended by itself`, async () => {
    const session = await open('grandchild')
    const grandchild = Number(textOf(await session.request('tools/call', spawn)))
    assert.equal(errorOf(await call(session, 'die')).code, -32010)
    await until('the grandchild to be gone', () => !isAlive(grandchild), 6000)
    await others()
  })
}

test('characters of many bytes arrive whole however they are written', async () => {
  const session = await open('utf8')
  assert.equal(await session.callText('split'), 'héllo 🌍 \u2028 done')
  await session.end()
  await others()
})

test('a line over the limit is an error that names the limit', async () => {
  const session = await open('endless')
  const { code, message } = errorOf(await call(session, 'begin'))
  assert.equal(code, -32010)
  assert.match(message, /4194304|4 ?MB|sizes\.line/)
  await others()
})

test('a result over the line limit is an error, one below it arrives', async () => {
  const session = await open('big')
  assert.equal((await session.callText('big', { bytes: 3_900_000 })).length, 3_900_000)
  const { message } = errorOf(await call(session, 'big', { bytes: 4_300_000 }))
  assert.match(message, /4194304|4 ?MB|sizes\.line/)
  await session.end()
  await others()
})

test('noise on stdout is logged and skipped, an empty line and CRLF too', async () => {
  const session = await open('noise')
  assert.equal(await session.callText('noise'), 'clean')
  await session.end()
  const crlf = await open('crlf')
  assert.equal(await crlf.callText('echo', { a: 1 }), '{"a":1}')
  await crlf.end()
  await others()
})

test('a slow start within its time is waited for, one that takes longer is told', async () => {
  const slow = await open('slow')
  assert.ok(Number(await slow.callText('pid')) > 0)
  await slow.end()
  for (const tool of ['late', 'deaf']) {
    const since = performance.now()
    const refused = await initialize(`${gateway.url}/mcp/${tool}`)
    assert.match(errorOf(refused.json()).message, /timeouts\.start|2000 ms|2 ?s/)
    assert.ok(performance.now() - since < 4000)
  }
  await others()
})

test('answers to ids that nobody asked go nowhere', async () => {
  const session = await open('ids')
  const listening = await session.listen()
  const stream = await session.stream('tools/call', { name: 'answer', arguments: {} }, 3)
  await stream.closed
  assert.match(await stream.text(), /right/)
  assert.equal(await session.callText('answer'), 'right')
  for (const { data } of [...stream.events, ...listening.events])
    assert.doesNotMatch(data, /wrong|again/)
  listening.abort()
  await session.end()
  await others()
})

test("a tool's own errors and failures arrive as they are", async () => {
  const session = await open('errors')
  assert.deepEqual((await call(session, 'error')).error, {
    code: -32050,
    message: 'no luck',
    data: { why: 'because' },
  })
  assert.deepEqual((await call(session, 'fail')).result, {
    content: [{ type: 'text', text: 'it went wrong' }],
    isError: true,
  })
  await session.end()
  await others()
})

test('twenty tools that die at once take nobody with them and leave nothing open', async () => {
  await others()
  const before = openDescriptors(gateway.pid)
  const sessions = await Promise.all(Array.from({ length: 20 }, () => open('dies')))
  const answers = await Promise.all(sessions.map((session) => call(session, 'die')))
  for (const answer of answers) assert.equal(errorOf(answer).code, -32010)
  await others()
  await until('descriptors to be closed', () => openDescriptors(gateway.pid) <= before + 2)
})

function logged(tool: string): number {
  return gateway.logs.filter((line) => line.tool === tool).length
}
