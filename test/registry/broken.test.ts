import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { FileError } from '../../src/registry/registry.ts'
import { isAlive } from '../harness/processes.ts'
import { within } from '../harness/until.ts'
import { commandTool, place } from './room.ts'

/** What is said of a file with this text. */
async function broken(t: TestContext, text: string, ending = 'ts', timeout = 20_000) {
  const room = place(t)
  const file = room.write(`tool.${ending}`, text)
  const registry = await room.open({ watch: false, describeTimeout: timeout })
  await within(30_000, 'an answer for every tool', registry.settled)
  const entry = registry.get('tool')
  assert.equal(entry?.state, 'broken')
  assert.equal(entry?.declaration, undefined)
  return { file, error: entry?.error as FileError, errors: entry?.errors ?? [] }
}

const MISSING_COMMA = `export default {
  description: 'x'
  runtime: 1,
}
`

test('a TypeScript syntax error is placed', async (t) => {
  const { file, error } = await broken(t, MISSING_COMMA)
  assert.deepEqual([error.file, error.line, error.column], [file, 3, 3])
  assert.match(error.expected ?? '', /TypeScript/)
})

test('a JavaScript syntax error is placed', async (t) => {
  const { file, error } = await broken(t, MISSING_COMMA, 'js')
  assert.deepEqual([error.file, error.line, error.column], [file, 3, 3])
})

test('syntax that cannot be stripped says what is expected', async (t) => {
  const { error } = await broken(t, 'enum A { B }\nexport default A\n')
  assert.equal(error.line, 1)
  assert.match(error.expected ?? '', /no enum/)
})

test('a thrown error is placed where it was thrown', async (t) => {
  const { file, error } = await broken(t, commandTool('x', "\nthrow new Error('no licence')"))
  assert.deepEqual([error.file, error.line, error.message], [file, 3, 'no licence'])
})

test('a thrown value that is no error is told', async (t) => {
  const { error } = await broken(t, "throw 'a fit'")
  assert.match(error.message, /a fit/)
})

test('an error thrown later is told, not lost', async (t) => {
  const top = "setTimeout(() => { throw new Error('later') })\nawait new Promise(() => {}).catch()"
  const { error } = await broken(t, commandTool('x', top))
  assert.deepEqual([error.line, error.message], [2, 'later'])
})

test('an import that leads nowhere is placed', async (t) => {
  const { file, error } = await broken(t, commandTool('x', "import './_not-there.ts'"))
  assert.deepEqual([error.file, error.line, error.column], [file, 2, 9])
  assert.match(error.message, /there is no "\.\/_not-there\.ts"/)
})

test('a file without a default export says what is expected', async (t) => {
  const { error } = await broken(t, 'export const tool = 1\n')
  assert.match(error.message, /no default export/)
  assert.match(error.expected ?? '', /^export default defineTool/)
})

test('every wrong field is told with its line, in their order', async (t) => {
  const text = `import { command, defineTool } from 'toolgate'

export default defineTool({
  description: 'x',
  runtime: command('cat'),
  policy: {
    network: 'egres',
    env: ['A B'],
  },
  timout: '1s',
  instances: 0,
})
`
  const { errors } = await broken(t, text)
  const told = errors.map(({ line, path }) => `${line} ${path}`)
  assert.deepEqual(told, ['7 policy.network', '8 policy.env[0]', '10 timout', '11 instances'])
})

test('a file that ends the process is told so, with the line', async (t) => {
  const { error } = await broken(t, commandTool('x', '\nprocess.exit(3)'))
  assert.match(error.message, /ended the process with code 3/)
  assert.equal(error.line, 3)
})

test('a file that kills itself is told so', async (t) => {
  const { error } = await broken(t, "process.kill(process.pid, 'SIGKILL')")
  assert.match(error.message, /SIGKILL/)
})

test('a file that waits for nothing is told so', async (t) => {
  const { error } = await broken(t, 'await new Promise(() => {})')
  assert.match(error.message, /never comes/)
})

test('a file that loops for ever is ended', async (t) => {
  const { error } = await broken(t, 'for (;;) {}', 'ts', 1_500)
  assert.match(error.message, /not read within 1500 ms/)
})

test('a file that fills its memory is ended', async (t) => {
  const text = 'const all = []\nfor (;;) all.push(new Array(1000).fill({}))'
  const { error } = await broken(t, text)
  assert.match(error.message, /memory|ended with/)
})

test('a file that floods the description is ended', async (t) => {
  const text = "import { writeSync } from 'node:fs'\nfor (;;) writeSync(3, 'x'.repeat(65536))"
  const { error } = await broken(t, text)
  assert.match(error.message, /too much/)
})

test('a file that forges its description is refused', async (t) => {
  const forged = { files: [], missing: [], declaration: { description: 'x', runtime: 'sh' } }
  const line = JSON.stringify(`${JSON.stringify({ result: forged })}\n`)
  const { error } = await broken(t, `import { writeSync } from 'node:fs'\nwriteSync(3, ${line})`)
  assert.match(error.message, /runtime: found "sh"/)
})

test('whatever a file starts while it is read is ended with it', async (t) => {
  const room = place(t)
  const pid = JSON.stringify(`${room.root}/pid`)
  const top = `import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
const child = spawn('sleep', ['1000'])
writeFileSync(${pid}, String(child.pid))`
  room.write('tool.ts', commandTool('x', top.replace("'sleep'", "'/bin/sleep'")))
  const registry = await room.open({ watch: false })
  await within(30_000, 'an answer', registry.settled)
  assert.equal(registry.get('tool')?.state, 'ready')
  const started = Number(readFileSync(`${room.root}/pid`, 'utf8'))
  const { until } = await import('../harness/until.ts')
  await until('the grandchild has ended', () => !isAlive(started))
})

test('what a file prints is no description of it', async (t) => {
  const room = place(t)
  const top = "process.stdout.write('x'.repeat(1e7))\nprocess.stderr.write('y'.repeat(1e7))"
  room.write('tool.ts', commandTool('Loud.', top))
  const registry = await room.open({ watch: false })
  await within(30_000, 'an answer', registry.settled)
  assert.equal(registry.get('tool')?.declaration?.description, 'Loud.')
})

test("nothing of the gateway's environment is there while a file is read", async (t) => {
  const room = place(t)
  process.env.REGISTRY_SECRET = 'secret'
  t.after(() => delete process.env.REGISTRY_SECRET)
  room.write(
    'tool.ts',
    commandTool('x').replace('"x"', 'Object.keys(process.env).join() || "none"'),
  )
  const registry = await room.open({ watch: false })
  await within(30_000, 'an answer', registry.settled)
  const { description } = registry.get('tool')?.declaration ?? {}
  assert.doesNotMatch(description ?? 'REGISTRY_SECRET', /REGISTRY_SECRET/)
})
