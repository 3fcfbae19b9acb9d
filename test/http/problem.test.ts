import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, type ErrorCode, ToolgateError } from '../../src/errors.ts'
import { findJsonMistake } from '../../src/http/json-mistake.ts'
import { problemOf } from '../../src/http/problem.ts'

test('Every code of the table makes a problem of its status', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const problem = problemOf(new ToolgateError(code, 'Because.'), { path: '/x', requestId: 'r' })
    assert.equal(problem.status, ERRORS[code].status)
    assert.equal(problem.type, `urn:toolgate:error:${code}`)
    assert.equal(problem.detail, 'Because.')
  }
})

test('Facts never replace what a problem is', () => {
  const data = { status: 200, code: 'fine', detail: 'x' }
  assert.equal(problemOf(new ToolgateError('timeout', 'Late.', { data })).status, 504)
})

test('What was thrown by chance is not told', () => {
  for (const thrown of [new Error('secret'), 'secret', undefined, { status: 404, errors: [] }]) {
    const problem = problemOf(thrown)
    assert.equal(problem.status, 500)
    assert.doesNotMatch(JSON.stringify(problem), /secret/)
  }
})

test('The place of a mistake in JSON is found, wherever it is', () => {
  const places: [string, number][] = [
    ['', 0],
    ['{', 1],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a":tru}', 5],
    ['{a:1}', 1],
    ['"\\x"', 0],
    ['"a\nb"', 0],
    ['{"a":1]', 6],
    ['{} {}', 3],
    ['[01]', 2],
  ]
  for (const [text, position] of places) {
    assert.throws(() => JSON.parse(text), SyntaxError, text)
    assert.equal(findJsonMistake(text).position, position, text)
  }
})

test('A mistake at the end of a long or deep text is found in linear time', () => {
  assert.equal(findJsonMistake('['.repeat(500_000)).position, 500_000)
  assert.equal(findJsonMistake(`"${'x'.repeat(1_000_000)}`).position, 0)
})
