import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ToolgateError } from '../../src/errors.ts'
import { resolveSecrets } from '../../src/runtime/secrets.ts'
import type { LogFields, Logger } from '../../src/telemetry/log.ts'
import { silent } from '../registry/room.ts'

const VALUE = 'kept-to-itself'
const NOBODY = 65_534

test('a file, a variable and a mounted secret become the values of variables', async (t) => {
  const { write, resolve, folder } = place(t)
  write('token', VALUE)
  symlinkSync('token', join(folder, 'link'))
  const secrets = {
    A: `file:${folder}/token`,
    B: 'env:TOKEN',
    C: 'mounted:token',
    D: 'mounted:link',
  }
  const values = await resolve(secrets, { TOKEN: 'from the environment' })
  assert.deepEqual(values, { A: VALUE, B: 'from the environment', C: VALUE, D: VALUE })
  assert.deepEqual(await resolve({}), {})
})

test('one line end is not part of a secret, whatever else is there is', async (t) => {
  const { write, resolve } = place(t)
  const contents = ['a\n', 'a\r\n', 'a\n\n', ' a ', '\ufeffa', 'a\r', 'ž\nů\n']
  const expected = ['a', 'a', 'a\n', ' a ', '\ufeffa', 'a\r', 'ž\nů']
  for (const [index, content] of contents.entries()) {
    write('token', content)
    assert.deepEqual(await resolve({ A: 'mounted:token' }), { A: expected[index] })
  }
})

test('a file is read anew each time', async (t) => {
  const { write, resolve } = place(t)
  for (const value of ['first', 'second']) {
    write('token', value)
    assert.deepEqual(await resolve({ A: 'mounted:token' }), { A: value })
  }
})

test('a secret of 64 KB is given, a longer one is not', async (t) => {
  const { write, resolve, refused } = place(t)
  const most = 'x'.repeat(65_536)
  write('token', `${most}\r\n`)
  assert.deepEqual(await resolve({ A: 'mounted:token' }), { A: most })
  for (const longer of [`${most}x`, `${most}xyz`, 'ž'.repeat(32_769), most.repeat(1000)]) {
    write('token', longer)
    assert.match(await refused({ A: 'mounted:token' }), /longer than 65536 bytes/)
  }
  assert.match(await refused({ A: 'env:A' }, { A: `${most}x` }), /longer than 65536 bytes/)
})

test('what cannot be a secret is refused, and never quoted', async (t) => {
  const { write, folder, refused } = place(t)
  write('empty', '')
  write('line', '\n')
  write('nul', `${VALUE}\0${VALUE}`)
  write('latin', Buffer.concat([Buffer.from(VALUE), Buffer.of(0xe9, 0x20)]))
  mkdirSync(join(folder, 'folder'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  symlinkSync('loop', join(folder, 'loop'))
  const mounted = (name: string) => refused({ A: `mounted:${name}` })
  assert.match(await mounted('empty'), /it is empty/)
  assert.match(await mounted('line'), /it is empty/)
  assert.match(await mounted('nul'), /NUL/)
  assert.match(await mounted('latin'), /UTF-8/)
  assert.match(await mounted('folder'), /not a file/)
  assert.match(await mounted('pipe'), /not a file/)
  assert.match(await mounted('loop'), /ELOOP/)
  assert.match(await mounted('nowhere'), /no such file/)
  assert.match(await refused({ A: `file:${folder}/empty/below` }), /no such file/)
  assert.match(await refused({ A: 'file:/dev/zero' }), /not a file/)
  assert.match(await refused({ A: 'env:NOT_SET' }), /not set/)
  assert.match(await refused({ A: 'env:EMPTY' }, { EMPTY: '' }), /not set/)
})

test('a file that may not be read says so', async (t) => {
  const { write, folder, refused } = place(t)
  write('token', VALUE)
  chmodSync(join(folder, 'token'), 0)
  // Root may read everything, until it is somebody else.
  const root = process.geteuid?.() === 0
  if (root) process.seteuid?.(NOBODY)
  try {
    assert.match(await refused({ A: 'mounted:token' }), /may not be read/)
  } finally {
    if (root) process.seteuid?.(0)
  }
})

test('every secret that is missing is named at once, its source to the log alone', async (t) => {
  const { write, folder, resolve, logged } = place(t)
  write('token', VALUE)
  const secrets = { GOOD: 'mounted:token', BAD: `file:${folder}/a`, WORSE: 'env:THERE_IS_NONE' }
  const thrown = await resolve(secrets).catch((error) => error)
  assert.ok(thrown instanceof ToolgateError)
  assert.equal(thrown.code, 'tool_failed_to_start')
  const words = `its secrets "BAD", "WORSE" are missing; the gateway's log says why.`
  assert.equal(thrown.message, `The tool could not be started: ${words}`)
  assert.doesNotMatch(
    JSON.stringify([thrown.message, thrown.data ?? '', String(thrown.cause)]),
    /\//,
  )
  const why = ['there is no such file', 'the variable is not set']
  assert.deepEqual(logged, [
    { secret: 'BAD', source: `file:${folder}/a`, why: why[0] },
    { secret: 'WORSE', source: 'env:THERE_IS_NONE', why: why[1] },
  ])
})

/** A folder of mounted secrets. */
function place(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const logged: LogFields[] = []
  const log: Logger = { ...silent, error: (fields) => void logged.push(fields) }
  const resolve = (
    secrets: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>> = {},
  ) => {
    const options = { environment, log, patience: 10_000, mounted: folder }
    return resolveSecrets(secrets, options).then(({ values }) => values)
  }
  return {
    folder,
    logged,
    resolve,
    write: (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content),
    /** Why the only secret is refused, as it is logged. */
    async refused(...args: Parameters<typeof resolve>): Promise<string> {
      const thrown = await resolve(...args).catch((error) => error)
      assert.match(thrown.message, /its secret "A" is missing/)
      assert.doesNotMatch(JSON.stringify([thrown.message, logged.at(-1)]), /kept-to-itself|xxx/)
      return String(logged.at(-1)?.why)
    },
  }
}
