import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../../../src/call/link.ts'
import { TaskMarks } from '../../../src/inbound/tasks/marks.ts'

const link = (caller: string, tool: string) => ({ caller: { id: caller }, tool: { name: tool } })
const as = (caller: string, tool = 'a') => link(caller, tool) as unknown as Link
const IDS = ['task-1', '', 'a.b', 'ä', '__x', `x${'.'.repeat(40)}`]

test('an id comes back as it was, to its caller and its tool alone', () => {
  const marks = new TaskMarks(null)
  for (const id of IDS) {
    const given = marks.give(id, as('ada'))
    assert.equal(marks.take(given, as('ada')), id)
    assert.equal(marks.take(given, as('bob')), undefined)
    assert.equal(marks.take(given, as('ada', 'b')), undefined)
    assert.equal(marks.take(id, as('ada')), undefined)
    for (const wrong of [`${given}x`, given.slice(1), given.slice(0, -1), `ü${given.slice(1)}`])
      assert.equal(marks.take(wrong, as('ada')), undefined, wrong)
  }
})

test('replicas with one key take each other’s ids, and nobody takes those of another key', () => {
  const given = new TaskMarks('one').give('task-1', as('ada'))
  assert.equal(new TaskMarks('one').take(given, as('ada')), 'task-1')
  for (const other of [new TaskMarks('two'), new TaskMarks(null)])
    assert.equal(other.take(given, as('ada')), undefined)
})

test('callers and tools cannot be read in two ways', () => {
  const marks = new TaskMarks('key')
  const given = marks.give('c', as('a", "b', 'd'))
  assert.equal(marks.take(given, as('a', 'b", "d')), undefined)
})
