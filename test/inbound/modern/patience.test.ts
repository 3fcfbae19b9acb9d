import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from '../../../src/inbound/modern/patience.ts'

test('each waits its own time, and who stops is not told', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const later = (milliseconds: number) => {
    now += milliseconds
    t.mock.timers.tick(milliseconds)
  }
  const told: string[] = []
  const waiting = (name: string) => ({ open: () => void told.push(name) })
  const patience = new Patience(100)
  const first = waiting('1')
  const second = waiting('2')
  const third = waiting('3')
  const last = waiting('last')
  patience.start(first)
  later(40)
  patience.start(second)
  patience.start(third)
  patience.stop(second)
  later(59)
  assert.deepEqual(told, [])
  later(1)
  assert.deepEqual(told, ['1'])
  later(40)
  assert.deepEqual(told, ['1', '3'])
  later(1000)
  patience.start(last)
  later(99)
  assert.deepEqual(told, ['1', '3'])
  later(1)
  assert.deepEqual(told, ['1', '3', 'last'])
})
