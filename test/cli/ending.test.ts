import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

const ENDING = pathToFileURL(join(import.meta.dirname, '../../src/cli/ending.ts')).href

test('an error that nobody caught is logged and is a reason to end with exit code 1', () => {
  assert.deepEqual(endingOf("setImmediate(() => { throw new Error('boom') })"), [
    { logged: 'uncaught exception', message: 'boom' },
    { reason: 'uncaught exception', code: 1 },
  ])
})

test('a rejection that nobody handled is one too', () => {
  assert.deepEqual(endingOf("Promise.reject(new Error('boom'))"), [
    { logged: 'unhandled rejection', message: 'boom' },
    { reason: 'unhandled rejection', code: 1 },
  ])
})

test('the first reason wins', () => {
  const both =
    "process.kill(process.pid, 'SIGTERM'); process.once('SIGTERM', () => { throw Error() })"
  assert.deepEqual(endingOf(both).at(-1), { reason: 'SIGTERM', code: 0 })
})

/** What is logged and how it ends when `happening` happens in a process of its own. */
function endingOf(happening: string): unknown[] {
  const script = `
    const { firstEnding } = await import(${JSON.stringify(ENDING)})
    const say = (line) => console.log(JSON.stringify(line))
    const alive = setInterval(() => {}, 60_000)
    const ending = firstEnding({ error: ({ err }, logged) => say({ logged, message: err.message }) })
    ${happening}
    say(await ending)
    clearInterval(alive)`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  assert.deepEqual([run.status, run.stderr], [0, ''])
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}
