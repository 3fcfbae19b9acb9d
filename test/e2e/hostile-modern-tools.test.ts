import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { modern, modernStream } from '../harness/modern.ts'
import { raw } from '../harness/raw.ts'
import {
  errorOf,
  type Json,
  messageIn,
  openSession,
  resultOf,
  type Session,
  textOf,
} from '../harness/session.ts'
import { allLearned, callRest } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'

const hostile = (listens: string, more: object = {}) => ({
  command: fixture('hostile-modern', listens),
  timeout: '10s',
  ...more,
})
const gateway = await startGateway(
  { after },
  {
    config: { timeouts: { stdin: '300ms', term: '300ms' }, limits: { calls: 100_000, per: '1s' } },
    tools: {
      own: hostile('liar'),
      shared: hostile('liar', { mode: 'daemon' }),
      deaf: hostile('deaf', { mode: 'daemon', timeout: '2s' }),
      brief: hostile('brief', { mode: 'daemon' }),
    },
  },
)
await allLearned(gateway)
const ELICITATION = { capabilities: { elicitation: {} } }
const FORM = { action: 'accept', content: {} }
const at = (tool: string) => `${gateway.url}/mcp/${tool}`
const open = (tool: string) => openSession(at(tool), ELICITATION)
const call = (session: Session, name: string, args: object = {}) =>
  session.request('tools/call', { name, arguments: args })
const callModern = async (tool: string, name: string, args: object = {}, options: object = {}) => {
  const params = { name, arguments: args }
  return (await modern(at(tool), 'tools/call', params, { ...ELICITATION, ...options })).json()
}

for (const [tool, what] of [
  ['own', 'a tool'],
  ['shared', 'a tool that all share'],
] as const) {
  test(`${what} asks as a server of before: it is refused, and its call goes on`, async () => {
    const session = await open(tool)
    for (const answer of [await callModern(tool, 'requests'), await call(session, 'requests')]) {
      assert.match(textOf(answer), /-32601.*sends no requests/)
    }
    await session.end()
  })

  test(`${what} answers twice: the first counts`, async () => {
    const session = await open(tool)
    assert.equal(textOf(await callModern(tool, 'twice')), '"first"')
    assert.equal(textOf(await call(session, 'twice')), '"first"')
    assert.equal(await session.callText('echo', { still: 'there' }), '{"still":"there"}')
    await session.end()
  })

  test(`${what} asks without reason or measure: that is an error by name`, async () => {
    const session = await open(tool)
    const answered = await call(session, 'bare')
    assert.equal(textOf(answered), 'bare')
    for (const [name, args, message] of [
      ['nothing', {}, /neither for what nor with/],
      ['unknown', {}, /soul\/give.*no client knows/],
      ['hoards', { bytes: 2_000_000 }, /1048576 bytes/],
      ['strange', {}, /"wish".*legacy client/],
    ] as const) {
      const { code, message: said } = errorOf(await call(session, name, args))
      assert.deepEqual([code, message.test(said)], [-32013, true], `${name}: ${said}`)
    }
    const { code, data } = errorOf(await call(session, 'undeclared'))
    assert.deepEqual([code, data], [-32021, { requiredCapabilities: { sampling: {} } }])
    for (const list of [
      await session.request('prompts/list'),
      (await modern(at(tool), 'prompts/list', {}, ELICITATION)).json(),
    ])
      assert.equal(errorOf(list).code, -32013)
    await session.end()
  })

  test(`${what} asks a modern client: what was declared reaches it, and nothing else`, async () => {
    const undeclared = await callModern(tool, 'undeclared')
    assert.equal(errorOf(undeclared).code, -32021)
    assert.deepEqual(resultOf(await callModern(tool, 'strange')), {
      resultType: 'wish',
      wish: 'granted',
    })
    assert.deepEqual(resultOf(await callModern(tool, 'doubled', {}, { id: 'd' })).content, [])
    const { inputRequests, requestState } = resultOf(await callModern(tool, 'forever'))
    assert.deepEqual(Object.keys(Object(inputRequests)), ['again'])
    assert.match(String(requestState), /\./, 'it is sealed')
  })
}

test('a client that answers for ever is told when it is enough', async () => {
  const session = await open('own')
  const stream = await session.stream('tools/call', { name: 'forever', arguments: {} }, 'f')
  let answered = 0
  const rest = () => stream.events.filter(({ data }) => data.includes('elicitation/create'))
  let over = false
  void stream.closed.then(() => {
    over = true
  })
  await until('the end', async () => {
    for (const event of rest().slice(answered)) {
      answered += 1
      await session.respond(messageIn(event).id, FORM)
    }
    return over
  })
  assert.equal(answered, 17)
  assert.match(errorOf(messageIn(stream.events.at(-1) as never)).message, /more than 16 times/)
  await session.end()
})

test('news with ids of others reach nobody they are not for', async () => {
  const [mine, other] = [await open('shared'), await open('shared')]
  const listening = await other.listen()
  assert.deepEqual((await other.request('resources/subscribe', { uri: 'it://mine' })).result, {})
  const stream = await mine.stream('tools/call', { name: 'misdirects', arguments: {} }, 1)
  await stream.closed
  assert.match(await stream.text(), /misdirected/)
  assert.equal(await other.callText('echo', { after: 'it' }), '{"after":"it"}')
  for (const { data } of [...stream.events, ...listening.events]) assert.doesNotMatch(data, /666/)
  listening.abort()
  for (const session of [mine, other]) await session.end()
})

test('a flood of progress arrives, and its neighbours are served meanwhile', async () => {
  const params = { name: 'floods', arguments: {} }
  const flood = modern(at('shared'), 'tools/call', params, { meta: { progressToken: 'p' } })
  assert.equal(textOf(await callModern('shared', 'echo', { a: 1 })), '{"a":1}')
  const { events } = await flood
  assert.equal(events.length, 20_001)
})

test('a tool that does not listen as it should refuses subscriptions, and serves calls', async () => {
  for (const [tool, code] of [
    ['deaf', -32016],
    ['brief', -32013],
  ] as const) {
    const session = await open(tool)
    const refused = await session.request('resources/subscribe', { uri: 'it://one' })
    assert.equal(errorOf(refused).code, code)
    assert.equal(await session.callText('echo', { still: 'there' }), '{"still":"there"}')
    await session.end()
  }
  const listen = { notifications: { toolsListChanged: true } }
  const ended = await modern(at('brief'), 'subscriptions/listen', listen)
  assert.equal(resultOf(ended.json()).resultType, 'complete')
  const failed = gateway.logs.filter(({ msg }) => msg === 'listening to the tool failed')
  assert.ok(failed.length < 20, `${failed.length} times`)
})

test('a tool that is gone while its client is asked, or listens, leaves nothing', async () => {
  const session = await open('own')
  const stream = await session.stream('tools/call', { name: 'leaves', arguments: {} }, 'l')
  await stream.waitFor('the question', ({ data }) => data.includes('elicitation/create'))
  await stream.closed
  assert.equal(errorOf(messageIn(stream.events.at(-1) as never)).code, -32010)
  const asked = await callRest(gateway, 'own', 'leaves')
  assert.equal(asked.status, 409)
  await until('its process to be gone', () => left('own') === 0)
  const late = { continuation: asked.json().continuation, inputResponses: { one: FORM } }
  const gone = await raw(`${gateway.url}/v1/continuations`, { method: 'POST', body: late })
  assert.equal(gone.json().code, 'tool_gone', gone.text)

  const listen = { notifications: { toolsListChanged: true } }
  const listening = await modernStream(at('shared'), 'subscriptions/listen', listen)
  await listening.waitFor('the acknowledgement', ({ data }) => data.includes('acknowledged'))
  assert.equal(errorOf(await callModern('shared', 'exit')).code, -32010)
  await listening.closed
  assert.equal(errorOf(messageIn(listening.events.at(-1) as never)).code, -32010)
  await session.end()
})

/** Processes of the tool that were started and have not ended. */
function left(tool: string): number {
  const of = (msg: RegExp) =>
    gateway.logs.filter((line) => line.tool === tool && msg.test(String(line.msg))).length
  return of(/^instance started$/) - of(/^instance ended/)
}

test('nothing of all this is left but what all share', async () => {
  await until('only the shared ones to run', async () => {
    const { instances, sessions } = (await raw(`${gateway.url}/health`)).json() as Json
    return left('own') === 0 && Number(instances) <= 3 && sessions === 0
  })
})
