import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GATEWAY, markOf, readMark } from '../src/mark.ts'

test('a mark says which gateway, and for which tool', () => {
  assert.deepEqual(readMark(markOf('files.12')), { gateway: GATEWAY, tool: 'files' })
  assert.deepEqual(readMark(markOf('a-b_C.describe')), { gateway: GATEWAY, tool: 'a-b_C' })
  assert.deepEqual(readMark(markOf('npm')), { gateway: GATEWAY, tool: undefined })
})

test('what no gateway wrote is no mark', () => {
  const id = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
  for (const mark of ['', id, GATEWAY, `${GATEWAY}.`, `${GATEWAY}.a.b.c`, `x${GATEWAY}.a.1`])
    assert.equal(readMark(mark), undefined, mark)
})
