import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from '../../src/cli/commands.ts'
import { emptyFolder, MAIN, toolgate } from './toolgate.ts'

test('--help lists every command', async (t) => {
  const { code, stdout } = await toolgate(emptyFolder(t), ['--help'])
  assert.equal(code, 0)
  for (const name of Object.keys(COMMANDS)) assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
})

test('--version is that of the package', async (t) => {
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  )
  const { code, stdout } = await toolgate(emptyFolder(t), ['--version'])
  assert.deepEqual([code, stdout], [0, `${version}\n`])
})

test('what the command line loads is kept compiled', (t) => {
  const folder = emptyFolder(t)
  // By another name, and so with a cache of its own.
  symlinkSync(dirname(MAIN), join(folder, 'src'))
  const names = ['--preserve-symlinks', '--preserve-symlinks-main']
  const args = [...names, join(folder, 'src', basename(MAIN)), '--version']
  const env = { PATH: process.env.PATH, NODE_V8_COVERAGE: undefined }
  assert.match(execFileSync(process.execPath, args, { env, encoding: 'utf8' }), /^\d/)
  const kept = readdirSync(join(folder, 'node_modules/.cache/toolgate'), { recursive: true })
  assert.ok(kept.length > 3, kept.join())
})

test('every command has a help of its own', async () => {
  for (const [name, command] of Object.entries(COMMANDS))
    assert.match((await command.load()).help, new RegExp(`^Usage: toolgate ${name}`))
})

test('--help after a command does not run it', async (t) => {
  const { code, stdout } = await toolgate(emptyFolder(t), ['serve', '--help'])
  assert.equal(code, 0)
  assert.match(stdout, /--metrics-port PORT/)
})

test('an unknown command gives exit code 2 and what was likely meant', async (t) => {
  const { code, stderr } = await toolgate(emptyFolder(t), ['sevre'])
  assert.equal(code, 2)
  assert.match(stderr, /no command "sevre" \(did you mean "serve"\?\)/)
})

test('no command at all gives exit code 2 and the overview', async (t) => {
  const { code, stdout } = await toolgate(emptyFolder(t), [])
  assert.equal(code, 2)
  assert.match(stdout, /^Usage: toolgate COMMAND/)
})

test('serve names all mistakes of its flags, variables and file, and exits 1', async (t) => {
  const folder = emptyFolder(t)
  const { code, stdout, stderr } = await toolgate(folder, ['serve', '--prot', '1', '--port', 'x'], {
    TOOLGATE_HOTS: 'y',
  })
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /--prot: there is no such flag \(did you mean "port"\?\); expected one of/)
  assert.match(stderr, /TOOLGATE_HOTS: .*did you mean "TOOLGATE_HOST"/)
  assert.match(stderr, /--port listen\.port: found "x"/)
})

test('what a command does not expect is refused', async (t) => {
  const { code, stderr } = await toolgate(emptyFolder(t), ['serve', 'now'])
  assert.equal(code, 2)
  assert.match(stderr, /"now" is not expected here/)
})
