import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inlineLearned } from '../../src/catalogue/inline.ts'
import { listAll } from '../../src/catalogue/lists.ts'
import type { SharedConnection } from '../../src/outbound/connection.ts'
import { resultMessage } from '../../src/protocol/read.ts'
import { InlineServer } from '../../src/runtime/inline-server.ts'
import { until } from '../harness/until.ts'
import { toolOf } from '../pool/given.ts'
import { openCatalogue } from './given.ts'

const names = (items: readonly Record<string, unknown>[], key: string) =>
  items.map((item) => item[key])

for (const era of ['legacy', 'modern'])
  test(`all lists of a tool are learned: ${era}`, async (t) => {
    const { catalogue } = await openCatalogue(t)
    const learned = await catalogue.learn(toolOf('everything', {}, era))
    assert.ok(learned.functions.length > 10)
    assert.ok(names(learned.prompts, 'name').includes('test_simple_prompt'))
    assert.ok(names(learned.resources, 'uri').includes('test://static-text'))
    assert.ok(String(names(learned.templates, 'uriTemplate')).includes('test://template'))
    const { supportedVersions, protocolVersion } = learned.initialize
    assert.deepEqual(
      [supportedVersions, protocolVersion],
      era === 'modern' ? [['2026-07-28'], undefined] : [undefined, '2025-11-25'],
    )
  })

test('a list is read page by page, and what has no name is left out', async () => {
  const asked: unknown[] = []
  const connection = answering((method, { cursor }) => {
    asked.push([method, cursor])
    if (cursor === undefined)
      return { prompts: [{ name: 'one' }, { nameless: true }], nextCursor: 'b' }
    return { prompts: [{ name: 'two' }] }
  })
  const { prompts, functions } = await listAll(
    connection,
    { capabilities: { prompts: {} } },
    undefined,
  )
  assert.deepEqual(names(prompts, 'name'), ['one', 'two'])
  assert.deepEqual(functions, [])
  assert.deepEqual(asked, [
    ['prompts/list', undefined],
    ['prompts/list', 'b'],
  ])
})

test('a tool that never ends a list is stopped', async () => {
  let pages = 0
  const connection = answering(() => {
    pages += 1
    return { resources: [{ uri: 'it://same' }], resourceTemplates: [], nextCursor: 'again' }
  })
  const { resources } = await listAll(connection, { capabilities: { resources: {} } }, undefined)
  assert.ok(resources.length <= 100)
  assert.ok(pages <= 200)
})

test('a list that fails costs only itself, and that of functions everything', async () => {
  const capabilities = { tools: {}, prompts: {}, resources: {} }
  const tools = { tools: [{ name: 'hi', inputSchema: {} }, { name: 'without a schema' }] }
  const connection = answering((method) => (method === 'tools/list' ? tools : {}))
  const learned = await listAll(connection, { capabilities }, undefined)
  assert.deepEqual(names(learned.functions as never, 'name'), ['hi'])
  assert.deepEqual([learned.prompts, learned.resources, learned.templates], [[], [], []])
  const known = { ...inlineLearned(toolOf('echo'), []), prompts: [{ name: 'kept' }] }
  assert.deepEqual((await listAll(connection, { capabilities }, known)).prompts, known.prompts)
  const silent = answering(() => ({}))
  await assert.rejects(listAll(silent, { capabilities }, undefined), { code: 'tool_misbehaved' })
})

test('what is said of an inline tool is what its child says', async () => {
  const sent: Record<string, unknown>[] = []
  const tool = toolOf('box', { title: 'A box', runtime: { kind: 'inline', functions: [] } })
  const server = new InlineServer({
    tool: {
      description: tool.description,
      title: 'A box',
      runtime: { kind: 'inline', functions: {} },
    },
    identity: `${tool.name}@${tool.version}`,
    workspace: null,
    send: (message) => void sent.push(message),
  })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} }
  server.receive(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }))
  const [answer] = await until('its answer', () => (sent.length > 0 ? sent : undefined))
  assert.deepEqual(inlineLearned(tool, []).initialize, answer?.result)
})

function answering(answer: (method: string, params: Record<string, unknown>) => unknown) {
  const ask = async (method: string, params: Record<string, unknown>) =>
    resultMessage(1, answer(method, params))
  return { ask } as unknown as SharedConnection
}
