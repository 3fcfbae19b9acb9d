import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToolgateError } from '../../../src/errors.ts'
import { ALL_TOOLS } from '../../../src/inbound/aggregate/all-tools.ts'
import { Directory, type Shown } from '../../../src/inbound/aggregate/directory.ts'
import { EMPTY, type Lists } from '../../../src/inbound/aggregate/lists.ts'

const INPUT = { type: 'object' }
const shown = (name: string, lists?: Partial<Lists>, more: Partial<Shown> = {}): Shown => ({
  tool: { ...ALL_TOOLS, name },
  lists: lists && { ...EMPTY, ...lists },
  capabilities: {},
  ...more,
})
const fn = (name: string, more: object = {}) => ({ name, inputSchema: INPUT, ...more })
const weather = shown('weather', {
  functions: [
    fn('now', {
      title: 'Now',
      annotations: { readOnlyHint: true },
      _meta: { ui: { resourceUri: 'ui://view' }, 'openai/outputTemplate': 'ui://view', x: 1 },
    }),
    fn('later.on'),
  ],
  prompts: [{ name: 'ask', arguments: [] }],
  resources: [{ uri: 'ui://view', name: 'View' }],
  templates: [{ uriTemplate: 'city://{name}', name: 'City' }],
})
const other = { ...ALL_TOOLS, name: 'other' }
const files = shown('files', { functions: [fn('read')] })

test('entries keep all they say; names, URIs and what refers to them carry the tool', () => {
  const directory = new Directory([weather, files])
  assert.deepEqual(directory.entries('functions'), [
    {
      name: 'weather__now',
      inputSchema: INPUT,
      title: 'Now',
      annotations: { readOnlyHint: true },
      _meta: {
        ui: { resourceUri: 'ui://weather__view' },
        'openai/outputTemplate': 'ui://weather__view',
        x: 1,
      },
    },
    { name: 'weather__later_on', inputSchema: INPUT },
    { name: 'files__read', inputSchema: INPUT },
  ])
  assert.deepEqual(directory.entries('prompts'), [{ name: 'weather__ask', arguments: [] }])
  assert.deepEqual(directory.entries('resources'), [{ uri: 'ui://weather__view', name: 'View' }])
  assert.deepEqual(directory.entries('templates'), [
    { uriTemplate: 'city://weather__{name}', name: 'City' },
  ])
})

test('what is listed is found again, as its tool knows it', () => {
  const directory = new Directory([weather, files])
  const own = ({ tool, own: name }: { tool: { name: string }; own: string }) => [tool.name, name]
  assert.deepEqual(own(directory.named('functions', 'weather__later_on')), ['weather', 'later.on'])
  assert.deepEqual(own(directory.named('prompts', 'weather__ask')), ['weather', 'ask'])
  assert.deepEqual(own(directory.located('ui://weather__view')), ['weather', 'ui://view'])
  assert.deepEqual(own(directory.located('city://files__x')), ['files', 'city://x'])
  assert.deepEqual(own(directory.task('weather__7')), ['weather', '7'])
})

test('a wrong name is told what was expected, and what may have been meant', () => {
  const directory = new Directory([weather, files])
  const message = (look: () => unknown) => {
    try {
      look()
    } catch (thrown) {
      const { rpc, message } = thrown as ToolgateError
      assert.equal(rpc, -32602)
      return message
    }
    return assert.fail('it was found')
  }
  assert.equal(
    message(() => directory.named('functions', 'weather__nov')),
    'There is no function "weather__nov". Did you mean "weather__now"? Expected tool__function, as tools/list tells.',
  )
  assert.match(
    message(() => directory.named('functions', 'read')),
    /Did you mean "files__read"\?/,
  )
  assert.match(
    message(() => directory.named('prompts', 7)),
    /no prompt without a name/,
  )
  assert.match(
    message(() => directory.named('functions', 'x'.repeat(9999))),
    /"x{64}…"\. Expected/,
  )
  assert.match(
    message(() => directory.located('ui://other')),
    /Expected a URI of resources\/list/,
  )
  assert.match(
    message(() => directory.task('7')),
    /There is no task "7"/,
  )
})

test('what an app calls by its own name is found where only one app can mean it', () => {
  const plain = shown('plain', {
    functions: [fn('now'), fn('later')],
    resources: [{ uri: 'x:y', name: 'x' }],
  })
  const directory = new Directory([weather, files, plain])
  const found = ({ tool, own }: { tool: { name: string }; own: string }) => [tool.name, own]
  assert.deepEqual(found(directory.named('functions', 'now')), ['weather', 'now'])
  assert.deepEqual(found(directory.named('prompts', 'ask')), ['weather', 'ask'])
  assert.deepEqual(found(directory.located('ui://view')), ['weather', 'ui://view'])
  for (const look of [
    () => directory.named('functions', 'later'),
    () => directory.named('functions', 'read'),
    () => directory.located('x:y'),
    () => new Directory([weather, { ...weather, tool: other }]).named('functions', 'now'),
  ])
    assert.throws(look, { rpc: -32602 })
})

test('a URI whose host a client has written in small letters is still its tool’s', () => {
  const big = shown('Big')
  const own = (directory: Directory, uri: string) => directory.located(uri).tool.name
  assert.equal(own(new Directory([big, files]), 'file://big__/x'), 'Big')
  assert.equal(own(new Directory([big, shown('big')]), 'file://big__/x'), 'big')
  assert.equal(own(new Directory([big, shown('big')]), 'file://Big__/x'), 'Big')
  const two = new Directory([big, shown('BIG')])
  assert.throws(() => own(two, 'file://big__/x'), { rpc: -32602 })
})

test('a tool that nothing is known of yet, or never will be, hides no other and says so', () => {
  const slow = shown('slow')
  const broken = shown('broken', undefined, { problem: 'it ended at once' })
  const directory = new Directory([slow, broken, files])
  assert.equal(directory.entries('functions').length, 1)
  const code = (name: string) => {
    try {
      directory.named('functions', name)
    } catch (thrown) {
      return (thrown as ToolgateError).code
    }
    return undefined
  }
  assert.equal(code('slow__x'), 'not_learned')
  assert.equal(code('broken__x'), 'tool_failed_to_start')
  assert.equal(code('files__x'), 'unknown_function')
})

test('an entry that cannot be written, or has no name, is left out', () => {
  let deep: object = {}
  for (let depth = 0; depth < 100_000; depth += 1) deep = { deep }
  const odd = shown('odd', {
    functions: [fn('deep', { deep }), { inputSchema: INPUT } as never, fn('good')],
    resources: [{ name: 'no uri' }, { uri: 'x:y' }],
  })
  const directory = new Directory([odd])
  assert.deepEqual(
    directory.page('functions', undefined, 'modern'),
    '"tools":[{"name":"odd__good","inputSchema":{"type":"object"}}]',
  )
  assert.equal(directory.entries('resources').length, 1)
})

test('a legacy client is told of objects where a function answers something else', () => {
  const directory = new Directory([
    shown('t', { functions: [fn('list', { outputSchema: { type: 'array' } })] }),
  ])
  const schema = (era: 'legacy' | 'modern') =>
    JSON.parse(`{${directory.page('functions', undefined, era)}}`).tools[0].outputSchema
  assert.deepEqual(schema('modern'), { type: 'array' })
  assert.deepEqual(schema('legacy'), {
    type: 'object',
    properties: { result: { type: 'array' } },
    required: ['result'],
  })
})

test('a list of more than 2,000 goes on behind a cursor, and takes no other', () => {
  const many = Array.from({ length: 4001 }, (_, index) => fn(`f${index}`))
  const directory = new Directory([shown('t', { functions: many })])
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = JSON.parse(`{${directory.page('functions', cursor, 'modern')}}`)
    seen.push(...page.tools.map(({ name }: { name: string }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  assert.deepEqual(
    seen,
    many.map(({ name }) => `t__${name}`),
  )
  for (const wrong of ['0', '1', '6000', 'x', 7, null])
    assert.throws(() => directory.page('functions', wrong, 'modern'), /nextCursor/)
})

test('the same lists have the same digest, others another', () => {
  const digest = (...all: Shown[]) => new Directory(all).digest('functions')
  assert.equal(digest(weather, files), digest(weather, files))
  assert.notEqual(digest(weather, files), digest(weather))
})
