import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const SCRIPTS = join(import.meta.dirname, '../../scripts')
const BELOW = pathToFileURL(join(SCRIPTS, 'launch/below.mjs')).href

test('run.mjs runs a file with this Node first on the PATH, and ends with its exit code', () => {
  const script = "console.log(process.env.PATH.split(':')[0]); process.exit(7)"
  const run = spawnSync(process.execPath, [join(SCRIPTS, 'run.mjs'), '-e', script], {
    encoding: 'utf8',
  })
  assert.equal(run.status, 7)
  assert.equal(run.stdout, `${join(process.execPath, '..')}\n`)
})

test('the bin runs the command line', () => {
  const run = spawnSync(process.execPath, [join(SCRIPTS, 'toolgate.mjs'), '--version'], {
    encoding: 'utf8',
  })
  assert.deepEqual([run.status, run.stderr], [0, ''])
  assert.match(run.stdout, /^\d+\.\d+\.\d+\n$/)
})

test('below an older Node a signal is passed on, and the exit code comes back', async (t) => {
  const { child, lines } = await runBelow(t)
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  assert.deepEqual([code, lines.at(-1)], [3, 'SIGINT'])
})

test('below an older Node the program ends when its launcher is killed', async (t) => {
  const { child, lines } = await runBelow(t)
  child.kill('SIGKILL')
  // The program holds stdout too: it closes only once both are gone.
  await once(child, 'close')
  assert.equal(lines.at(-1), 'SIGTERM')
})

test('a script of npm ends with its npm, even by SIGKILL', async (t) => {
  const { child, lines } = await runBelowNpm(t, [join(SCRIPTS, 'run.mjs'), '-e', PROGRAM])
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.equal(lines.at(-1), 'SIGTERM')
})

test('below an older Node a script of npm ends with its npm, even by SIGKILL', async (t) => {
  const launcher = LAUNCHER.replace('process.env)', 'process.env, process.ppid)')
  const { child, lines } = await runBelowNpm(t, ['--input-type=module', '-e', launcher])
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.equal(lines.at(-1), 'SIGTERM')
})

/** Says which signal ended it. */
const PROGRAM = `
  for (const [signal, code] of [['SIGINT', 3], ['SIGTERM', 4]])
    process.on(signal, () => { console.log(signal); process.exit(code) })
  setInterval(() => {}, 60_000)
  console.log(process.pid)`

/** A launcher as on Node 20. */
const LAUNCHER = `
  const { runBelow } = await import(${JSON.stringify(BELOW)})
  runBelow(process.execPath, ['-e', ${JSON.stringify(PROGRAM)}], process.env)`

function runBelow(t: TestContext) {
  return start(t, ['--input-type=module', '-e', LAUNCHER])
}

/** A parent that is not told when its child ends, and is killed by nobody but the test. */
function runBelowNpm(t: TestContext, args: readonly string[]) {
  const npm = `
    const env = { ...process.env, npm_lifecycle_event: 'start' }
    const stdio = ['ignore', 'inherit', 'inherit']
    require('child_process').spawn(process.execPath, ${JSON.stringify(args)}, { env, stdio })`
  return start(t, ['-e', npm])
}

/** Resolves once the program has said its id. */
async function start(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  // With it ends the program, or the tests above fail.
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => lines.push(line))
  await once(reader, 'line')
  return { child, lines }
}
