import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Priority, Queue } from '../../src/pool/queue.ts'

function waiting(...names: string[]) {
  const queue = new Queue<ReturnType<typeof waiterOf>>()
  const waiters = names.map(waiterOf)
  for (const waiter of waiters) queue.add(waiter)
  return { queue, waiters }
}

/** `ann1`, or `job:ann1`: who, and which of theirs. */
function waiterOf(text: string) {
  const [name = '', priority = 'interactive'] = text.split(':').reverse()
  return { name, caller: name.slice(0, 3), priority: priority as Priority }
}

const names = (waiters: readonly { readonly name: string }[]) => waiters.map(({ name }) => name)

test('callers take turns, however many of each wait', () => {
  const { queue } = waiting('ann1', 'ann2', 'ann3', 'bob1', 'cat1', 'cat2')
  assert.deepEqual(names(queue.inTurn()), ['ann1', 'bob1', 'cat1', 'ann2', 'cat2', 'ann3'])
})

test('who is served waits for all others before the next turn, who leaves does not', () => {
  const { queue, waiters } = waiting('ann1', 'ann2', 'bob1', 'bob2')
  queue.serve(waiters[0] as (typeof waiters)[0])
  assert.deepEqual(names(queue.inTurn()), ['bob1', 'ann2', 'bob2'])
  assert.equal(queue.leave(waiters[2] as (typeof waiters)[0]), true)
  assert.deepEqual(names(queue.inTurn()), ['bob2', 'ann2'])
  assert.equal(queue.leave(waiters[2] as (typeof waiters)[0]), false)
  assert.equal(queue.size, 2)
})

test('what somebody waits for goes before jobs, and these before our own', () => {
  const { queue } = waiting('background:own1', 'job:ann1', 'bob1', 'job:cat1', 'ann2')
  assert.deepEqual(names(queue.inTurn()), ['bob1', 'ann2', 'ann1', 'cat1', 'own1'])
})
