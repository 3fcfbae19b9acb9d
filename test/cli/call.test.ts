import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixture } from '../harness/fixtures.ts'
import { startGateway } from '../harness/gateway.ts'
import { emptyFolder, toolgate } from './toolgate.ts'

const CLOCK = `import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'

export default defineTool({
  description: 'Tell the time.',
  runtime: inline({
    now: fn({
      description: 'The time.',
      input: z.object({ zone: z.string(), hours: z.int().default(0) }),
      output: z.object({ zone: z.string(), hours: z.int() }),
      run: (args) => args,
    }),
  }),
})
`

test('call prints the result of a function of a running gateway', async (t) => {
  const { url } = await startGateway(t, { tools: { clock: CLOCK } })
  const folder = emptyFolder(t)
  const args = ['call', 'clock', 'now', 'zone=12', 'hours=3']
  const { code, stdout, stderr } = await toolgate(folder, args, { TOOLGATE_URL: url })
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual(JSON.parse(stdout), { zone: '12', hours: 3 })
})

test('call shows a key', async (t) => {
  const hash = `sha256:${createHash('sha256').update('open-sesame').digest('hex')}`
  const config = { keys: [{ id: 'ann', hash }] }
  const { url } = await startGateway(t, { tools: { clock: CLOCK }, config })
  const call = (...more: string[]) =>
    toolgate(emptyFolder(t), ['call', 'clock', 'now', 'zone=a', '--url', url, ...more])
  const [without, wrong, right] = await Promise.all([
    call(),
    call('--key', 'sesame'),
    call('--key', 'open-sesame'),
  ])
  assert.deepEqual([without.code, wrong.code, right.code], [1, 1, 0])
  assert.equal(without.stdout, '')
})

test('call says what went wrong, and exits 1', async (t) => {
  const { url } = await startGateway(t, { tools: { clock: CLOCK } })
  const call = (...args: string[]) => toolgate(emptyFolder(t), ['call', ...args, '--url', url])
  const [missing, unknown, tool] = await Promise.all([
    call('clock', 'now'),
    call('clock', 'nwo'),
    call('clokc', 'now'),
  ])
  assert.deepEqual([missing.code, unknown.code, tool.code], [1, 1, 1])
  assert.match(missing.stderr, /zone/)
  assert.match(unknown.stderr, /clock has no function "nwo" \(did you mean "now"\?\)/)
  assert.match(tool.stderr, /no (such )?tool/)
  for (const { stdout } of [missing, unknown, tool]) assert.equal(stdout, '')
})

test('call says what a function asks of its caller, and exits 1', async (t) => {
  const { url } = await startGateway(t, { tools: { echo: { command: fixture('modern-echo') } } })
  const args = ['call', 'echo', 'ask', '--url', url]
  const { code, stdout, stderr } = await toolgate(emptyFolder(t), args)
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(
    stderr,
    /asks for input.*\n {2}name: What is name 1\? \(name\)\n.*\/v1\/continuations/,
  )
})

test('call starts the one tool by itself where no gateway runs', async (t) => {
  const folder = emptyFolder(t)
  cpSync(join(import.meta.dirname, '../../src/cli/sample'), join(folder, 'tools.d'), {
    recursive: true,
  })
  writeFileSync(join(folder, 'tools.d/broken.ts'), "throw new Error('not asked for')\n")
  // Port 0 is where no gateway can be.
  const args = ['call', 'clock', 'now', 'zone=Europe/Paris', '--port', '0']
  const { code, stdout, stderr } = await toolgate(folder, args)
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(JSON.parse(stdout).time, /^\d{4}-\d\d-\d\d /)
})

test('call says every mistake of the one tool, each once', async (t) => {
  const folder = emptyFolder(t)
  mkdirSync(join(folder, 'tools.d'))
  const file = join(folder, 'tools.d/clock.ts')
  writeFileSync(file, 'export default {\n  runtime: 1,\n  timeout: 30,\n}\n')
  const { code, stdout, stderr } = await toolgate(folder, ['call', 'clock', 'now', '--port', '0'])
  assert.deepEqual([code, stdout], [1, ''])
  const told = stderr.trim().split('\n')
  assert.deepEqual(
    told.map((line) => line.split(';')[0]).sort(),
    [`1:1 description: it is missing`, '2:3 runtime: found 1', '3:3 timeout: found 30'].map(
      (mistake) => `${file}:${mistake}`,
    ),
  )
})

test('call does not start a tool where a URL was given', async (t) => {
  const args = ['call', 'clock', 'now', '--url', 'http://127.0.0.1:9']
  const { code, stderr } = await toolgate(emptyFolder(t), args)
  assert.equal(code, 1)
  assert.match(stderr, /http:\/\/127\.0\.0\.1:9 (cannot be reached|.*nothing listens)/)
})

test('call needs a tool and a function', async (t) => {
  const { code, stderr } = await toolgate(emptyFolder(t), ['call', 'clock'])
  assert.equal(code, 2)
  assert.match(stderr, /expected TOOL FUNCTION/)
})
