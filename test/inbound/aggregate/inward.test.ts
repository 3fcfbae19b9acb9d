import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALL_TOOLS } from '../../../src/inbound/aggregate/all-tools.ts'
import { Directory } from '../../../src/inbound/aggregate/directory.ts'
import { findTarget } from '../../../src/inbound/aggregate/inward.ts'
import { EMPTY } from '../../../src/inbound/aggregate/lists.ts'
import { withMarkedState, withOwnState } from '../../../src/inbound/aggregate/state.ts'
import { readClientMessage, resultMessage } from '../../../src/protocol/read.ts'

const tool = { ...ALL_TOOLS, name: 't', version: 'v1' }
const lists = {
  ...EMPTY,
  functions: [{ name: 'f.g', inputSchema: {} }],
  prompts: [{ name: 'p' }],
}
const directory = new Directory([{ tool, lists, capabilities: {} }])
const request = (method: string, params: string) => {
  const text = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`
  const [message] = readClientMessage(text)
  assert.ok(message)
  return message
}
const sent = (method: string, params: string) => {
  const target = findTarget(directory, request(method, params))
  assert.equal(target?.tool, tool)
  return Buffer.from(target?.request.bytes ?? '').toString()
}

test('a request goes down in the words of its tool, every number and all else as it was', () => {
  const args = '"arguments":{"n":12345678901234567890.10,"uri":"test://t__x"}'
  assert.equal(
    sent('tools/call', `{"_meta":{"progressToken":1},"name":"t__f_g",${args}}`),
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":1},"name":"f.g",${args}}}`,
  )
})

test('each method is routed by what it names', () => {
  for (const [method, outer, own] of [
    ['prompts/get', '{"name":"t__p"}', '{"name":"p"}'],
    ['resources/read', '{"uri":"x://t__y"}', '{"uri":"x://y"}'],
    ['resources/subscribe', '{"uri":"x://t__y"}', '{"uri":"x://y"}'],
    ['resources/unsubscribe', '{"uri":"x://t__y"}', '{"uri":"x://y"}'],
    ['tasks/get', '{"taskId":"t__7"}', '{"taskId":"7"}'],
    ['tasks/update', '{"taskId":"t__7","inputResponses":{}}', '{"taskId":"7","inputResponses":{}}'],
    ['tasks/cancel', '{"taskId":"t__7"}', '{"taskId":"7"}'],
    ['tasks/result', '{"taskId":"t__7"}', '{"taskId":"7"}'],
    [
      'completion/complete',
      '{"ref":{"type":"ref/prompt","name":"t__p"},"argument":{}}',
      '{"ref":{"type":"ref/prompt","name":"p"},"argument":{}}',
    ],
    [
      'completion/complete',
      '{"ref":{"type":"ref/resource","uri":"x://t__{y}"},"argument":{}}',
      '{"ref":{"type":"ref/resource","uri":"x://{y}"},"argument":{}}',
    ],
  ] as const)
    assert.ok(sent(method, outer).endsWith(`"params":${own}}`), `${method} ${outer}`)
})

test('what names nothing is refused, and what is of no tool is nobody’s', () => {
  for (const [method, params] of [
    ['tools/call', '{}'],
    ['prompts/get', '{"name":1}'],
    ['resources/read', '{"uri":["x://t__y"]}'],
    ['tasks/get', '{"taskId":"7"}'],
    ['completion/complete', '{"ref":{"type":"ref/other","name":"t__p"}}'],
    ['completion/complete', '{}'],
  ] as const)
    assert.throws(() => findTarget(directory, request(method, params)), { rpc: -32602 }, method)
  assert.equal(findTarget(directory, request('nobody/knows', '{"name":"t__p"}')), undefined)
})

test('a state says which version of which tool it is of, and is given back without', () => {
  const asks = { resultType: 'input_required', requestState: 'raw' }
  const { result } = withMarkedState(resultMessage(1, asks), tool).json()
  const { requestState } = result as typeof asks
  assert.notEqual(requestState, 'raw')
  const again = request('tools/call', JSON.stringify({ name: 'f', requestState }))
  assert.equal(Object(withOwnState(again, tool).json().params).requestState, 'raw')
  for (const other of [
    { ...tool, version: 'v2' },
    { ...tool, name: 'u' },
  ])
    assert.throws(() => withOwnState(again, other), /another version/)
  const plain = resultMessage(1, { resultType: 'complete', requestState: 'input_required' })
  assert.equal(withMarkedState(plain, tool), plain)
})
