import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/mistake.ts'

const BAD = join(import.meta.dirname, '../fixtures/broken/config')
const SHIPPED = join(import.meta.dirname, '../../config/gateway.yaml')
const env: Readonly<Record<string, string>> = { HOME: '/home/ann' }
let cwd: string

before(() => {
  cwd = mkdtempSync(join(tmpdir(), 'toolgate-config-'))
})
after(() => rmSync(cwd, { recursive: true }))

for (const name of readdirSync(BAD))
  test(`all mistakes of ${name} are named with line, column and what was expected`, async () => {
    const file = join(BAD, name)
    const expected = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith('#! ') ? `${file}:${line.slice(3)}` : []))
    assert.deepEqual(await mistakesOf({ config: file }), expected)
  })

test('without a file, everything has its default', async () => {
  const { config, file, warnings } = await loadConfig({ env, cwd })
  assert.equal(file, null)
  assert.deepEqual(warnings.filter(isNoEngine), [])
  assert.deepEqual(config.listen, {
    host: '127.0.0.1',
    port: 8080,
    metrics: 9090,
    metricsHost: '127.0.0.1',
  })
  assert.equal(config.tools, join(cwd, 'tools.d'))
  assert.equal(config.timeouts.call, 60_000)
  assert.equal(config.sizes.body, 1_048_576)
  assert.deepEqual(config.limits, { calls: 600, per: 60_000, burst: 100 })
})

test('the shipped file says what the defaults are', async () => {
  const shipped = await loadConfig({ env, cwd, flags: { config: SHIPPED } })
  const built = await loadConfig({ env, cwd: join(SHIPPED, '../..'), flags: {} })
  const none = await loadConfig({ env, cwd })
  assert.deepEqual(shipped, built)
  const { tools, workspace } = none.config
  assert.deepEqual({ ...shipped.config, tools, workspace }, none.config)
})

test('the configuration is frozen to its ground', async () => {
  const { config } = await loadConfig({ env, cwd })
  assert.throws(() => Object.assign(config.listen, { port: 1 }), TypeError)
  assert.throws(() => Object.assign(config.keys, { 0: 'x' }), TypeError)
})

test('a flag goes before its variable, and a variable before the file', async () => {
  const file = write('order.yaml', 'listen: { host: 127.0.0.2, port: 1, metrics: 2 }\n')
  const { config } = await loadConfig({
    cwd,
    env: { ...env, TOOLGATE_CONFIG: file, TOOLGATE_PORT: '3', TOOLGATE_METRICS_PORT: '4' },
    flags: { port: '5' },
  })
  assert.deepEqual(config.listen, {
    host: '127.0.0.2',
    port: 5,
    metrics: 4,
    metricsHost: '127.0.0.1',
  })
})

test('a variable that is set to nothing counts as not set', async () => {
  const { config } = await loadConfig({ env: { ...env, TOOLGATE_PORT: '' }, cwd })
  assert.equal(config.listen.port, 8080)
})

test('paths of a file start at its folder, or at what has config/, and others at the cwd', async () => {
  const flat = write('flat/gateway.yaml', 'tools: ./mine\nworkspace: /abs\n')
  const { config } = await loadConfig({ env, cwd, flags: { config: flat } })
  assert.equal(config.tools, join(cwd, 'flat/mine'))
  assert.equal(config.workspace, '/abs')
  const nested = write('house/config/gateway.yaml', 'tools: ./mine\n')
  const house = await loadConfig({ env, cwd, flags: { config: nested, workspace: 'w' } })
  assert.equal(house.config.tools, join(cwd, 'house/mine'))
  assert.equal(house.config.workspace, join(cwd, 'w'))
})

test('the cache lies where the platform keeps caches', async () => {
  const { config } = await loadConfig({ env: { ...env, XDG_CACHE_HOME: '/var/c' }, cwd })
  const expected =
    process.platform === 'darwin' ? '/home/ann/Library/Caches/toolgate' : '/var/c/toolgate'
  assert.equal(config.cache, expected)
  const named = await loadConfig({ env: { ...env, TOOLGATE_CACHE: 'here' }, cwd })
  assert.equal(named.config.cache, join(cwd, 'here'))
})

test('an unknown flag and an unknown variable are refused by name', async () => {
  const mistakes = await mistakesOf({ prot: '1' }, { ...env, TOOLGATE_TOOL: 'x' })
  assert.match(mistakes[0] ?? '', /^--prot: there is no such flag \(did you mean "port"\?\);/)
  assert.match(mistakes[1] ?? '', /^TOOLGATE_TOOL: .* \(did you mean "TOOLGATE_TOOLS"\?\);/)
  assert.equal(mistakes.length, 2)
})

test('a flag with a wrong value, or without its value, is named as it was written', async () => {
  assert.match((await mistakesOf({ port: 'http' }))[0] ?? '', /^--port listen.port: found "http"/)
  assert.match((await mistakesOf({ port: true }))[0] ?? '', /^--port listen.port: found nothing/)
  assert.match((await mistakesOf({ config: true }))[0] ?? '', /^--config: found nothing/)
})

test('a named file that is not there is a mistake', async () => {
  const [mistake] = await mistakesOf({ config: 'none.yaml' })
  assert.equal(mistake, `${join(cwd, 'none.yaml')}: there is no such file; expected a YAML file`)
})

test('a public address without keys is refused unless it is said to be meant', async () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.com'])
    assert.match((await mistakesOf({ host }))[0] ?? '', /^--host listen\.host: .*no keys/)
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost'])
    assert.deepEqual(await mistakesOf({ host }), [])
  assert.deepEqual(await mistakesOf({ host: '0.0.0.0', unauthenticated: true }), [])
  const keys = write('keys.yaml', `keys: [{ id: ann, hash: 'sha256:${'a'.repeat(64)}' }]\n`)
  assert.deepEqual(await mistakesOf({ host: '0.0.0.0', config: keys }), [])
})

test('what could not be read is not held against anything else', async () => {
  const ports = await mistakesOf({ port: '99999', 'metrics-port': '-1' })
  assert.deepEqual(
    ports.map((mistake) => mistake.split(':')[0]),
    ['--port listen.port', '--metrics-port listen.metrics'],
  )
  const keys = write('wrong-keys.yaml', 'keys: ann\nlisten: { host: 0.0.0.0 }\n')
  assert.match((await mistakesOf({ config: keys })).join(), /^\S+ keys: found "ann"; [^:]+$/)
  const open = write('wrong-open.yaml', 'unauthenticated: yes\nlisten: { host: 0.0.0.0 }\n')
  assert.match((await mistakesOf({ config: open })).join(), /^\S+ unauthenticated: [^:]+$/)
  const torn = write('torn.yaml', 'keys: [\nlisten: }\n')
  const found = await mistakesOf({ config: torn, host: '0.0.0.0' })
  assert.deepEqual(
    found.filter((mistake) => !mistake.includes('not YAML')),
    [],
  )
})

test('what is allowed but dangerous is warned of', async () => {
  const file = write('open.yaml', "origins: ['*']\nlisten: { metricsHost: 0.0.0.0 }\n")
  const flags = { config: file, host: '0.0.0.0', unauthenticated: true }
  const { warnings } = await loadConfig({ env, cwd, flags })
  assert.match(warnings.join('\n'), /0\.0\.0\.0 may call every tool/)
  assert.match(warnings.join('\n'), /origins has "\*"/)
  assert.match(warnings.join('\n'), /Metrics are open/)
})

test('a container engine that the gateway can use is warned of', async () => {
  const socket = write('engine.sock', '')
  const file = write('engine.yaml', `engine: { socket: ${socket} }\n`)
  const { warnings } = await loadConfig({ env, cwd, flags: { config: file } })
  const named = warnings.filter((each) => each.includes(`the container engine at ${socket},`))
  assert.equal(named.length, 1)
  const host = await loadConfig({ env: { ...env, DOCKER_HOST: `unix://${socket}` }, cwd })
  assert.deepEqual(host.warnings, named)
})

/** Machines with an engine have one warning more. */
function isNoEngine(warning: string): boolean {
  return !warning.includes('the container engine at /var/run/docker.sock,')
}

async function mistakesOf(flags: Record<string, string | boolean>, variables = env) {
  try {
    await loadConfig({ env: variables, cwd, flags })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n')
  }
}

function write(name: string, text: string): string {
  const file = join(cwd, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  return file
}
