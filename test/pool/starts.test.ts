import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Priority } from '../../src/pool/queue.ts'
import { Starts, type Turn } from '../../src/pool/starts.ts'

function begin(starts: Starts, begun: string[]) {
  const turns = new Map<string, Turn>()
  return {
    turns,
    want(name: string, priority: Priority = 'interactive', signal?: AbortSignal) {
      return starts.turn(priority, name, signal).then(
        (each) => {
          begun.push(name)
          turns.set(name, each)
        },
        ({ code }) => void begun.push(`${name}: ${code}`),
      )
    },
  }
}

test('no more starts than there may be are under way, and the next one begins when one is over', async () => {
  const starts = new Starts({ most: 2, wait: 1000 })
  const begun: string[] = []
  const { want, turns } = begin(starts, begun)
  for (const name of ['a', 'b', 'c', 'd']) void want(name)
  await turn()
  assert.deepEqual(begun, ['a', 'b'])
  assert.equal(starts.waiting, 2)
  turns.get('a')?.end()
  turns.get('a')?.end()
  await turn()
  assert.deepEqual(begun, ['a', 'b', 'c'])
  for (const name of ['b', 'c', 'd']) {
    turns.get(name)?.end()
    await turn()
  }
  assert.equal(starts.underWay, 0)
})

test('what somebody waits for is started before spares, which leave it a place', async () => {
  const starts = new Starts({ most: 2, wait: 1000 })
  const begun: string[] = []
  const { want, turns } = begin(starts, begun)
  void want('spare 1', 'background')
  void want('spare 2', 'background')
  void want('session')
  void want('job', 'job')
  await turn()
  assert.deepEqual(begun, ['spare 1', 'session'])
  for (const name of ['session', 'job', 'spare 1', 'spare 2']) {
    turns.get(name)?.end()
    await turn()
  }
  assert.deepEqual(begun, ['spare 1', 'session', 'job', 'spare 2'])
  assert.equal(starts.underWay, 0)
})

test('a start that hangs does not keep others from starting', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const starts = new Starts({ most: 1, wait: 60_000 })
  const begun: string[] = []
  const { want, turns } = begin(starts, begun)
  void want('hangs')
  void want('quick')
  await turn()
  assert.deepEqual(begun, ['hangs'])
  t.mock.timers.tick(3000)
  await turn()
  assert.deepEqual(begun, ['hangs', 'quick'])
  turns.get('hangs')?.end()
  assert.equal(starts.underWay, 1)
})

test('who waits too long is refused, and who gives up waits no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const starts = new Starts({ most: 1, wait: 500 })
  const begun: string[] = []
  const { want } = begin(starts, begun)
  const leaving = new AbortController()
  void want('first')
  void want('second')
  void want('third', 'interactive', leaving.signal)
  leaving.abort()
  await turn()
  assert.deepEqual(begun, ['first', 'third: tool_gone'])
  t.mock.timers.tick(500)
  await turn()
  assert.deepEqual(begun, ['first', 'third: tool_gone', 'second: unavailable'])
  assert.equal(starts.waiting, 0)
})

test('what is followed is over when all of it is, that which came meanwhile too', async () => {
  const starts = new Starts({ most: 1, wait: 1000 })
  await starts.over()
  const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
  const followed = starts.follow(first.promise)
  let over = false
  const end = starts.over().then(() => {
    over = true
  })
  void starts.follow(second.promise).catch(() => {})
  first.resolve(1)
  assert.equal(await followed, 1)
  await turn()
  assert.equal(over, false)
  second.reject(new Error('it failed'))
  await end
})
