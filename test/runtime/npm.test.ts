import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { installPackage } from '../../src/runtime/npm.ts'
import { runNpm } from '../../src/runtime/npm-run.ts'
import { marked } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import { silent } from '../registry/room.ts'
import { npmRegistry } from './npm-registry.ts'

const manifest = (fields: object) => ({ 'package.json': JSON.stringify(fields) })

const PACKAGES = {
  '@scope/hello@1.2.3': {
    ...manifest({
      name: '@scope/hello',
      version: '1.2.3',
      bin: { other: 'no.js', hello: './bin/hello.js' },
      scripts: { install: 'node -e "require(`fs`).writeFileSync(`ran`, ``)"' },
    }),
    'bin/hello.js': "console.log('hello', process.argv.slice(2).join())",
  },
  'shebang@1.0.0': {
    ...manifest({ name: 'shebang', version: '1.0.0', bin: { any: 'run' } }),
    run: "#!/usr/bin/env node\nconsole.log('shebang')",
  },
  'library@1.0.0': { ...manifest({ name: 'library', version: '1.0.0' }), 'index.js': '' },
  'escapes@1.0.0': manifest({ name: 'escapes', version: '1.0.0', bin: '../../../../etc/passwd' }),
}

async function room(t: TestContext) {
  const cache = mkdtempSync(join(tmpdir(), 'npm-'))
  t.after(() => rmSync(cache, { recursive: true, force: true, maxRetries: 5 }))
  const registry = await npmRegistry(t, PACKAGES)
  const env = {
    PATH: process.env.PATH,
    HOME: cache,
    npm_config_registry: registry.url,
    npm_config_cache: join(cache, 'npm-cache'),
  }
  const told: string[] = []
  const log = { ...silent, info: (_fields: object, message: string) => void told.push(message) }
  const install = (spec: string, options: { timeout?: number; signal?: AbortSignal } = {}) => {
    const at = spec.lastIndexOf('@')
    const named = { package: spec.slice(0, at), version: spec.slice(at + 1) }
    return installPackage({ ...named, cache, timeout: 120_000, log, env, ...options })
  }
  return { cache, registry, install, told }
}

test('a package is installed once, without its scripts, and started without a shell', async (t) => {
  const { cache, registry, install } = await room(t)
  const [one, two] = await Promise.all([
    install('@scope/hello@1.2.3'),
    install('@scope/hello@1.2.3'),
  ])
  assert.deepEqual(one, two)
  assert.equal(one.program, process.execPath)
  assert.equal(
    execFileSync(one.program, [...one.args, 'a', 'b'], { encoding: 'utf8' }),
    'hello a,b\n',
  )
  assert.equal(registry.asked.filter((url) => url.endsWith('.tgz')).length, 1)
  const [folder, ...others] = readdirSync(join(cache, 'npm'))
  assert.equal(folder, '@scope+hello@1.2.3')
  assert.deepEqual(others, [])
  assert.ok(!existsSync(join(cache, 'npm', folder, 'node_modules/@scope/hello/ran')))
  const asked = registry.asked.length
  await install('@scope/hello@1.2.3')
  assert.equal(registry.asked.length, asked)
})

test('the only program is taken, and a script for Node is run by this one', async (t) => {
  const { install } = await room(t)
  const { program, args } = await install('shebang@1.0.0')
  assert.equal(program, process.execPath)
  assert.equal(execFileSync(program, args, { encoding: 'utf8' }), 'shebang\n')
})

test('a package that is not there, or has no program, says so', async (t) => {
  const { cache, install } = await room(t)
  const failed = { name: 'ToolgateError', code: 'tool_failed_to_start' }
  await assert.rejects(install('nowhere@1.0.0'), { ...failed, message: /404/ })
  await assert.rejects(install('library@9.9.9'), { ...failed, message: /No matching version/ })
  await assert.rejects(install('library@1.0.0'), { ...failed, message: /no program/ })
  await assert.rejects(install('escapes@1.0.0'), failed)
  assert.ok(readdirSync(join(cache, 'npm')).every((name) => !name.startsWith('.draft')))
})

test('what npm sets for its scripts does not reach the installation', async (t) => {
  // As below `npm start --prefix /nowhere`: the global file is not there, and no_proxy is emptied.
  const invented = { npm_config_globalconfig: '/nowhere/etc/npmrc', npm_config_noproxy: '' }
  const folder = mkdtempSync(join(tmpdir(), 'npm-env-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const npm = join(folder, 'says-its-environment.js')
  const says =
    "console.error(Object.keys(process.env).filter((name) => /npm/.test(name)).join(' '))"
  writeFileSync(npm, `${says}; process.exitCode = 1`)
  const env = { ...invented, npm_config_registry: 'http://127.0.0.1:9', npm_config_prefix: '/x' }
  const { signal } = new AbortController()
  const run = (more: object) =>
    runNpm({ npm, folder, spec: '', timeout: 60_000, signal, env: { ...env, ...more } })
  assert.equal(await run({}), 'npm_config_registry')
  const own = await run({ npm_config_globalconfig: npm, npm_config_noproxy: 'localhost' })
  const kept = ['npm_config_globalconfig', 'npm_config_noproxy', 'npm_config_registry']
  assert.deepEqual(own?.split(' ').sort(), kept)
})

test('npm is ended with its time, and nothing is left of it', async (t) => {
  const { cache, registry, install } = await room(t)
  registry.hang('library')
  await assert.rejects(install('library@1.0.0', { timeout: 1_500 }), {
    code: 'tool_failed_to_start',
    message: /npm took longer than 1500 ms/,
  })
  await until('npm has ended', () => marked(cache).length === 0)
  assert.deepEqual(readdirSync(join(cache, 'npm')), [])
})

test('who gives up leaves the others their package, and the last one ends npm', async (t) => {
  const { cache, registry, install, told } = await room(t)
  const early = new AbortController()
  const [gone, stays] = [
    install('shebang@1.0.0', { signal: early.signal }),
    install('shebang@1.0.0'),
  ]
  early.abort()
  await assert.rejects(gone, { message: /given up/ })
  assert.equal((await stays).program, process.execPath)

  registry.hang('library')
  const late = new AbortController()
  const alone = install('library@1.0.0', { signal: late.signal })
  await until('npm asks', () => registry.asked.some((url) => url.startsWith('/library')))
  late.abort()
  await assert.rejects(alone, { message: /given up/ })
  await until('npm has ended', () => marked(cache).length === 0)
  await until('it is told', () => told.at(-1) === 'package is not wanted any more')
})
