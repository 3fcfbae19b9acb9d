import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS, ToolgateError, toToolgateError } from '../src/errors.ts'

test('docs/errors.md has every row of the table of errors, in its order, and no other', () => {
  const document = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
  const documented = document.split('\n').filter((line) => line.startsWith('| `'))
  const rows = Object.entries(ERRORS).map(
    ([code, { status, rpc, title }]) => `| \`${code}\` | ${status} | ${rpc} | ${title} |`,
  )
  assert.deepEqual(documented, rows)
})

test('every status is an error of HTTP, and every code an error of JSON-RPC', () => {
  for (const [code, { status, rpc, title }] of Object.entries(ERRORS)) {
    assert.ok(Number.isInteger(status) && status >= 400 && status <= 599, code)
    assert.ok(Number.isInteger(rpc) && rpc >= -32_800 && rpc <= -32_000, code)
    assert.match(title, /^[A-Z].*[^.]$/, code)
  }
})

test('an error carries the status and the code of its row', () => {
  const error = new ToolgateError('rate_limited', 'Too often.', { retryAfter: 3 })
  assert.deepEqual([error.status, error.rpc, error.retryAfter], [429, -32_009, 3])
})

test('what is not ours becomes internal, and is kept as the cause only', () => {
  const thrown = new Error('password is hunter2')
  const error = toToolgateError(thrown)
  assert.equal(error.code, 'internal')
  assert.doesNotMatch(error.message, /hunter2/)
  assert.equal(error.cause, thrown)
})

test('what is ours stays as it is', () => {
  const error = new ToolgateError('timeout', 'Too slow.')
  assert.equal(toToolgateError(error), error)
})
