import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { connect } from '../harness/clients.ts'
import { type Gateway, startGateway } from '../harness/gateway.ts'
import { until } from '../harness/until.ts'
import { allBlocks, ROOT, read } from './documents.ts'
import { assertShown } from './expected.ts'
import { type Block, blocksOf, rowsOf } from './markdown.ts'

const MAIN = join(ROOT, 'src/main.js')
const BLOCKS = allBlocks()
const TOOLS = BLOCKS.filter(({ language }) => language === 'ts')
const SHIPPED = ['calculator.ts', 'clock.ts']

const ends: (() => Promise<void>)[] = []
let dir: string
let gateway: Gateway

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'toolgate-docs-'))
  gateway = await startGateway({ after: (end) => void ends.push(end) })
  for (const name of SHIPPED) {
    symlinkSync(join(ROOT, 'tools.d', name), join(gateway.tools.dir, name))
  }
  for (const block of servable()) write(gateway.tools.dir, block)
  await until('every sample to be served', everythingServed, 60_000)
})

after(async () => {
  for (const end of ends) await end()
  rmSync(dir, { recursive: true, force: true })
})

test('every sample tool has a place of its own, and is without mistakes and well typed', async () => {
  const paths = TOOLS.map(pathOf)
  assert.deepEqual([...new Set(paths)], paths)
  const folder = join(dir, 'samples')
  await run('node', [MAIN, 'init', folder])
  for (const block of TOOLS) write(folder, block)
  const checked = await run('node', [MAIN, 'check', '--tools', folder])
  assert.match(checked.stdout, /, no mistakes$/m)
  await run('node', [join(ROOT, 'node_modules/tsc/bin/tsc'), '-p', folder])
})

test('every command says whether it is run here', () => {
  for (const { language, marker, place } of BLOCKS) {
    if (language === 'sh') assert.match(marker ?? '', /^(run|not run: .+)$/, place)
  }
})

for (const block of BLOCKS) {
  const { language, marker, place, next } = block
  if (language === 'sh' && marker === 'run') {
    test(`the command at ${place} does what is shown`, async () => {
      const { stdout } = await run('sh', ['-euc', here(block.text)])
      if (next?.language === 'json' || next?.language === 'text') assertShown(stdout, next)
    })
  }
  if (language === 'yaml') {
    test(`the configuration at ${place} is accepted`, async () => {
      const file = join(dir, 'sample.yaml')
      writeFileSync(file, block.text)
      await loadConfig({ flags: { config: file }, env: {}, cwd: dir })
    })
  }
  if (marker === 'connect') {
    test(`the MCP servers at ${place} can be connected to`, async (t) => {
      const { mcpServers } = JSON.parse(here(block.text))
      for (const { type, url } of Object.values<{ type: string; url: string }>(mcpServers)) {
        const target = type === 'sse' ? { sse: url } : { streamable: url }
        const client = await connect(t, 'sdk', target)
        const { tools } = (await client.request('tools/list')) as { tools: unknown[] }
        assert.notEqual(tools.length, 0)
      }
    })
  }
}

test('every route of the README that can be read is there', async () => {
  const routes = rowsOf(read('README.md')).flatMap(
    ([cell]) => cell?.match(/(?<=`GET )\/[^`]*/g) ?? [],
  )
  assert.notEqual(routes.length, 0)
  for (const route of routes) {
    const response = await fetch(`${gateway.url}${route.replace('{tool}', 'clock')}`)
    assert.equal(response.status, 200, route)
    await response.body?.cancel()
  }
  const { metricsUrl } = await gateway.waitForLog('listening', ({ msg }) => msg === 'listening')
  assert.equal((await fetch(String(metricsUrl))).status, 200)
})

test('what is shown is compared: values, further keys, and parts of a line', () => {
  const json = (text: string) => ({ language: 'json', text })
  assertShown('{"a":1,"b":[{"c":2,"d":3}]}', json('{"a":"…","b":[{"c":2,"…":"…"}]}'))
  assert.throws(() => assertShown('{"a":1}', json('{"a":2}')))
  assert.throws(() => assertShown('{"a":1,"b":2}', json('{"a":1}')))
  assert.throws(() => assertShown('{}', json('{"a":"…"}')))
  assertShown('one\ntwo 123!\n', { language: 'text', text: '…e\ntwo …!\n' })
  assert.throws(() => assertShown('one\n', { language: 'text', text: 'one\ntwo …\n' }))
})

test('a block knows its marker and what follows it', () => {
  const [first] = blocksOf('x.md', '<!-- run -->\n```sh\ntrue\n```\n\n```json\n{}\n```\n')
  assert.equal(first?.marker, 'run')
  assert.equal(first?.text, 'true\n')
  assert.equal(first?.next?.language, 'json')
})

/** Tools that need nothing from elsewhere, and the helpers they import. */
function servable(): Block[] {
  return TOOLS.filter(({ text }) => !/(command|npm|container)\(/.test(text))
}

async function everythingServed(): Promise<boolean> {
  const response = await fetch(`${gateway.url}/v1/tools`)
  const { tools } = (await response.json()) as { tools: { name: string; state: string }[] }
  const wanted = [...SHIPPED, ...servable().map(pathOf)].filter((path) => !path.startsWith('_'))
  return wanted.every((path) =>
    tools.some(({ name, state }) => `${name}.ts` === path && state === 'ready'),
  )
}

/** A sample's first line says where it lies. */
function pathOf({ text, place }: Block): string {
  const path = /^\/\/ tools\.d\/(\S+\.ts)\n/.exec(text)?.[1]
  assert.ok(path, `${place} does not begin with // tools.d/NAME.ts`)
  return path
}

function write(folder: string, block: Block): void {
  const file = join(folder, pathOf(block))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, block.text)
}

/** The text with this test's gateway in place of the usual one. */
function here(text: string): string {
  const main = `'${process.execPath}' '${MAIN}'`
  const { host } = new URL(gateway.url)
  return text.replaceAll('localhost:8080', host).replaceAll('npx toolgate', main)
}

function run(program: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  const cache = join(dir, 'cache')
  const { PATH = '' } = process.env
  const env = {
    PATH,
    HOME: dir,
    TOOLGATE_URL: gateway.url,
    TOOLGATE_CACHE: cache,
    NODE_V8_COVERAGE: undefined,
  }
  const file = program === 'node' ? process.execPath : program
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: dir, env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout, stderr })
      reject(new Error(`${error.message}\n${stdout}\n${stderr}`))
    })
  })
}
