import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect, type McpClient } from '../harness/clients.ts'
import { server } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'

const dir = mkdtempSync(join(tmpdir(), 'toolgate-files-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const shared = join(dir, 'shared')
mkdirSync(join(shared, 'sub'), { recursive: true })
writeFileSync(join(shared, 'a.txt'), 'one\ntwo ü 🌍\nthree\n')
writeFileSync(join(shared, 'sub', 'pixel.png'), Buffer.from('89504e470d0a1a0a', 'hex'))

const gateway = await startGateway(
  { after },
  {
    env: { MEMORY_FILE_PATH: join(dir, 'gateway.jsonl') },
    tools: {
      everything: { command: server('everything') },
      filesystem: { command: server('filesystem', shared) },
      memory: { command: server('memory'), policy: { env: ['MEMORY_FILE_PATH'] } },
    },
  },
)

type Question = readonly [method: string, params?: object]
const call = (name: string, args: object = {}): Question => [
  'tools/call',
  { name, arguments: args },
]

const LISTS: readonly Question[] = [
  ['ping'],
  ['tools/list'],
  ['tools/call', { name: 'there is no such function', arguments: {} }],
  ['nobody/knows', { x: 1 }],
]

const EVERYTHING: readonly Question[] = [
  ...LISTS,
  ['resources/list'],
  ['resources/templates/list'],
  ['prompts/list'],
  ['resources/read', { uri: 'demo://resource/dynamic/text/7' }],
  ['resources/read', { uri: 'demo://resource/dynamic/blob/8' }],
  ['resources/read', { uri: 'demo://resource/dynamic/text/zero' }],
  ['resources/read', { uri: 'demo://nowhere' }],
  ['resources/subscribe', { uri: 'demo://resource/dynamic/text/7' }],
  ['resources/unsubscribe', { uri: 'demo://resource/dynamic/text/7' }],
  ['prompts/get', { name: 'simple-prompt' }],
  ['prompts/get', { name: 'args-prompt', arguments: { city: 'Zürich', state: 'ZH' } }],
  ['prompts/get', { name: 'args-prompt' }],
  ['prompts/get', { name: 'no-prompt' }],
  [
    'prompts/get',
    { name: 'resource-prompt', arguments: { resourceType: 'Text', resourceId: '3' } },
  ],
  complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'department', 'S'),
  complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'name', 'A', 'Engineering'),
  complete(
    { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' },
    'resourceId',
    '4',
  ),
  ['logging/setLevel', { level: 'warning' }],
  ['logging/setLevel', { level: 'shouting' }],
  call('echo', { message: 'grüße \u2028 🌍 \\ "quoted"' }),
  call('echo', { message: 7 }),
  call('echo'),
  call('get-sum', { a: 1e21, b: 0.1 }),
  call('get-tiny-image'),
  call('get-structured-content', { location: 'Chicago' }),
  call('get-structured-content', { location: 'Nowhere' }),
  call('get-annotated-message', { messageType: 'error', includeImage: true }),
  call('get-resource-links', { count: 4 }),
  call('get-resource-reference', { resourceType: 'Blob', resourceId: 2 }),
  call('get-resource-reference', { resourceType: 'Text', resourceId: -2 }),
  call('gzip-file-as-resource', {
    name: 'x.gz',
    data: 'data:text/plain;base64,aGVsbG8=',
    outputType: 'resource',
  }),
  call('trigger-long-running-operation', { duration: 0.1, steps: 2 }),
]

const FILES: readonly Question[] = [
  ...LISTS,
  call('list_allowed_directories'),
  call('read_text_file', { path: join(shared, 'a.txt') }),
  call('read_text_file', { path: join(shared, 'a.txt'), head: 1 }),
  call('read_text_file', { path: '/etc/passwd' }),
  call('read_text_file', { path: join(shared, 'missing') }),
  call('read_media_file', { path: join(shared, 'sub', 'pixel.png') }),
  call('read_multiple_files', { paths: [join(shared, 'a.txt'), join(shared, 'missing')] }),
  call('list_directory', { path: shared }),
  call('directory_tree', { path: shared }),
  call('search_files', { path: shared, pattern: '**/*.png' }),
  call('write_file', { path: join(shared, 'b.txt'), content: 'b' }),
  call('edit_file', {
    path: join(shared, 'b.txt'),
    edits: [{ oldText: 'b', newText: 'c' }],
    dryRun: true,
  }),
]

const MEMORY: readonly Question[] = [
  ...LISTS,
  call('read_graph'),
  call('create_entities', {
    entities: [{ name: 'Ada', entityType: 'person', observations: ['wrote a program'] }],
  }),
  call('create_entities', { entities: 'none' }),
  call('search_nodes', { query: 'program' }),
  call('open_nodes', { names: ['Ada', 'Bob'] }),
  call('delete_entities', { entityNames: ['Ada'] }),
  call('read_graph'),
]

const SERVERS = [
  { name: 'everything', command: server('everything'), questions: EVERYTHING },
  { name: 'filesystem', command: server('filesystem', shared), questions: FILES },
  { name: 'memory', command: server('memory'), questions: MEMORY },
]

for (const library of ['sdk', 'client'] as const)
  for (const { name, command, questions } of SERVERS) {
    test(`${name} answers the ${library} library as it does without a gateway`, async (t) => {
      const env = {
        PATH: String(process.env.PATH),
        MEMORY_FILE_PATH: join(dir, `${library}.jsonl`),
      }
      const direct = await ask(await connect(t, library, { command, env }), questions)
      const streamable = { streamable: `${gateway.url}/mcp/${name}` }
      const sse = { sse: `${gateway.url}/mcp/${name}/sse` }
      assert.deepEqual(await ask(await connect(t, library, streamable), questions), direct)
      assert.deepEqual(await ask(await connect(t, library, sse), questions), direct)
    })
  }

async function ask(client: McpClient, questions: readonly Question[]): Promise<unknown[]> {
  const answers: unknown[] = [{ hello: client.hello }]
  rmSync(join(shared, 'b.txt'), { force: true })
  for (const [method, params] of questions)
    answers.push(timeless({ method, params, ...(await answered(client, method, params)) }))
  assert.deepEqual(client.errors, [])
  await client.close()
  return answers
}

async function answered(client: McpClient, method: string, params?: object): Promise<object> {
  return { answer: await client.answer(method, params) }
}

/** The same without what the clock on the wall says, within base64 too. */
function timeless(answer: object): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value) => {
    if (typeof value !== 'string') return value
    const text = key === 'blob' ? Buffer.from(value, 'base64').toString('latin1') : value
    return text.replace(/\d+:\d+:\d+ [AP]M/g, 'some time')
  })
}

function complete(ref: object, name: string, value: string, department?: string): Question {
  const context = department === undefined ? {} : { context: { arguments: { department } } }
  return ['completion/complete', { ref, argument: { name, value }, ...context }]
}
