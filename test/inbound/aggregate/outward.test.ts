import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOutward, saidOutward } from '../../../src/inbound/aggregate/outward.ts'
import { References } from '../../../src/inbound/aggregate/references.ts'
import {
  errorMessage,
  notificationMessage,
  readToolLine,
  requestMessage,
  resultMessage,
} from '../../../src/protocol/read.ts'

const references = new References('t', ['test://one', 'ui://view'])
const line = (text: string) => {
  const message = readToolLine(Buffer.from(text))
  assert.ok(message)
  return message
}
const rewritten = (result: unknown, method = 'tools/call') =>
  answerOutward(resultMessage(1, result), method, references).json().result
const textOf = ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).toString()

test('links and embedded resources of a result lead back through the gateway', () => {
  assert.deepEqual(
    rewritten({
      content: [
        { type: 'text', text: 'see "uri": test://one' },
        { type: 'resource_link', uri: 'test://one', name: 'one' },
        { type: 'resource', resource: { uri: 'ui://view', text: 'x' } },
      ],
      structuredContent: { uri: 'test://one', taskId: 'x' },
    }),
    {
      content: [
        { type: 'text', text: 'see "uri": test://one' },
        { type: 'resource_link', uri: 'test://t__one', name: 'one' },
        { type: 'resource', resource: { uri: 'ui://t__view', text: 'x' } },
      ],
      structuredContent: { uri: 'test://one', taskId: 'x' },
    },
  )
})

test('what the client reads from the web itself stays, unless the tool lists such resources', () => {
  const content = [{ type: 'resource_link', uri: 'https://example.com/x', name: 'x' }]
  assert.deepEqual(rewritten({ content }), { content })
  const web = new References('t', ['https://example.com/{path}'])
  const answer = answerOutward(resultMessage(1, { content }), 'tools/call', web)
  assert.match(textOf(answer), /"https:\/\/t__example\.com\/x"/)
})

test('what _meta refers to is rewritten: the UI of MCP Apps, its older keys, the related task', () => {
  const meta = (mark: string) => ({
    ui: { resourceUri: `ui://${mark}view`, visibility: ['app'] },
    'ui/resourceUri': `ui://${mark}view`,
    'openai/outputTemplate': `ui://${mark}view`,
    'io.modelcontextprotocol/related-task': { taskId: `${mark}1` },
    other: { uri: 'ui://view' },
  })
  assert.deepEqual(rewritten({ content: [], _meta: meta('') }), { content: [], _meta: meta('t__') })
})

test('messages of prompts, contents of resources and their kind of error are rewritten', () => {
  const resource = (mark: string) => ({ type: 'resource', resource: { uri: `test://${mark}one` } })
  assert.deepEqual(
    rewritten({ messages: [{ role: 'user', content: resource('') }] }, 'prompts/get'),
    { messages: [{ role: 'user', content: resource('t__') }] },
  )
  assert.deepEqual(rewritten({ contents: [{ uri: 'https://x/', text: 'x' }] }, 'resources/read'), {
    contents: [{ uri: 'https://t__x/', text: 'x' }],
  })
  const error = line(
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"no","data":{"uri":"a:b"}}}',
  )
  assert.deepEqual(answerOutward(error, 'resources/read', references).json().error, {
    code: -32002,
    message: 'no',
    data: { uri: 'a:t__b' },
  })
})

test('a task is found again by its id, and its result is rewritten like any', () => {
  const task = (mark: string) => ({ resultType: 'task', taskId: `${mark}7`, status: 'working' })
  assert.deepEqual(rewritten(task('')), task('t__'))
  assert.deepEqual(rewritten({ task: { taskId: '7' } }), { task: { taskId: 't__7' } })
  const done = (mark: string) => ({
    taskId: `${mark}7`,
    result: { content: [{ type: 'resource_link', uri: `test://${mark}one` }] },
  })
  assert.deepEqual(rewritten(done(''), 'tasks/get'), done('t__'))
  const told = saidOutward(notificationMessage('notifications/tasks', done('')), references)
  assert.deepEqual(told.json().params, done('t__'))
  // A result may hold a "taskId" of its own, which is nobody's task.
  assert.deepEqual(rewritten({ content: [], taskId: '7' }), { content: [], taskId: '7' })
})

test('an answer without references is passed on as it is, and is not parsed for it', () => {
  const long = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"${'x'.repeat(100_000)}"}]}}`
  const answer = line(long)
  answer.json = () => assert.fail('it was parsed')
  assert.equal(answerOutward(answer, 'tools/call', references), answer)
})

test('every number of a rewritten answer keeps its digits', () => {
  const answer = line(
    '{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"n":12345678901234567890.10,"e":1e400},"content":[{"type":"resource_link","uri":"test://one"}]}}',
  )
  const text = textOf(answerOutward(answer, 'tools/call', references))
  assert.match(text, /"n":12345678901234567890\.10,"e":1e400/)
  assert.match(text, /test:\/\/t__one/)
})

test('a key that is written with escapes is read as any other', () => {
  const answer = line(
    '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"resource_link","\\u0075ri":"test://one"}]}}',
  )
  assert.match(textOf(answerOutward(answer, 'tools/call', references)), /"uri":"test:\/\/t__one"/)
})

test('what is no object where one should be is left alone', () => {
  for (const result of [
    { content: 'uri', messages: [1, null], contents: { uri: 'x:y' }, _meta: '"uri"' },
    {
      content: [
        null,
        'uri',
        { type: 'resource', resource: null },
        { type: 'resource_link', uri: 7 },
      ],
    },
  ])
    assert.deepEqual(rewritten({ ...result, also: { uri: 1 } }), { ...result, also: { uri: 1 } })
})

test('a log says which tool it is of; an update names the resource as it is listed', () => {
  const log = (params: object) =>
    saidOutward(notificationMessage('notifications/message', { ...params }), references).json()
      .params
  assert.deepEqual(log({ level: 'info', data: 'x' }), { level: 'info', data: 'x', logger: 't' })
  assert.deepEqual(log({ logger: 'db' }), { logger: 't/db' })
  const updated = notificationMessage('notifications/resources/updated', { uri: 'test://one' })
  assert.deepEqual(saidOutward(updated, references).json().params, { uri: 'test://t__one' })
  const progress = notificationMessage('notifications/progress', { progressToken: 1, progress: 1 })
  assert.equal(saidOutward(progress, references), progress)
})

test('what is said to several clients is written for one of them, and stays as it was', () => {
  const updated = notificationMessage('notifications/resources/updated', { uri: 'test://one' })
  const before = textOf(updated)
  for (let times = 0; times < 2; times += 1)
    assert.deepEqual(saidOutward(updated, references).json().params, { uri: 'test://t__one' })
  assert.equal(textOf(updated), before)
  assert.deepEqual(updated.json().params, { uri: 'test://one' })
})

test('a URL that is to be opened has an id that no other tool has', () => {
  const params = { mode: 'url', url: 'https://example.com', elicitationId: '1' }
  const own = { ...params, elicitationId: 't__1' }
  const asked = saidOutward(requestMessage(1, 'elicitation/create', params), references)
  assert.deepEqual(asked.json().params, own)
  const done = notificationMessage('notifications/elicitation/complete', { elicitationId: '1' })
  assert.deepEqual(saidOutward(done, references).json().params, { elicitationId: 't__1' })
  const needed = errorMessage(1, -32042, 'Open it first.', { elicitations: [params, 7] })
  const { error } = answerOutward(needed, 'tools/call', references).json()
  assert.deepEqual(Object(error).data, { elicitations: [own, 7] })
})

test('an answer that cannot be written again is its tool’s mistake', () => {
  const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`
  const answer = line(`{"jsonrpc":"2.0","id":1,"result":{"uri":1,"taskId":${deep}}}`)
  const look = () => answerOutward(answer, 'tools/call', references)
  assert.throws(look, { code: 'tool_misbehaved' })
})
