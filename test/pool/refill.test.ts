import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Refill } from '../../src/pool/refill.ts'

/** A clock that is moved by hand, in steps small enough for every timer. */
function clock(t: TestContext) {
  let now = 1000
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(performance, 'now', () => now)
  return async (milliseconds: number) => {
    for (let step = 0; step < milliseconds; step += 10) {
      now += 10
      t.mock.timers.tick(10)
      await turn()
    }
  }
}

/** So many are lacking; each takes `start` to be started, by a promise. */
function lacking(count: number, wait = 0) {
  const added: (() => void)[] = []
  let have = 0
  return {
    added,
    get lacks() {
      return have < count ? wait : undefined
    },
    add() {
      const { promise, resolve } = Promise.withResolvers<void>()
      added.push(() => {
        have += 1
        resolve()
      })
      return promise
    },
  }
}

test('one is started at a time, and the next one a while later', async (t) => {
  const later = clock(t)
  const refill = new Refill({ starts: () => 0 })
  const sets = [lacking(1), lacking(2)]
  for (const set of sets) refill.keep(set)
  const begun = () => sets.map(({ added }) => added.length)
  assert.deepEqual(begun(), [1, 0])
  await later(2000)
  assert.deepEqual(begun(), [1, 0])
  sets[0]?.added[0]?.()
  await turn()
  assert.deepEqual(begun(), [1, 0])
  await later(260)
  assert.deepEqual(begun(), [1, 1])
  sets[1]?.added[0]?.()
  await later(260)
  assert.deepEqual(begun(), [1, 2])
})

test('none is started while a session is being set up, nor just after', async (t) => {
  const later = clock(t)
  const refill = new Refill({ starts: () => 0 })
  const session = {}
  refill.enter(session)
  const set = lacking(1)
  refill.keep(set)
  await later(1000)
  assert.equal(set.added.length, 0)
  refill.settled(session)
  await later(200)
  assert.equal(set.added.length, 0)
  await later(320)
  assert.equal(set.added.length, 1)
})

test('none is started while others start', async (t) => {
  const later = clock(t)
  let starts = 1
  const refill = new Refill({ starts: () => starts })
  const set = lacking(1)
  refill.keep(set)
  await later(1000)
  assert.equal(set.added.length, 0)
  starts = 0
  await later(300)
  assert.equal(set.added.length, 1)
})

test('none is started during a set-up, however many follow each other', async (t) => {
  const later = clock(t)
  const refill = new Refill({ starts: () => 0 })
  const set = lacking(1)
  let session = {}
  refill.enter(session)
  refill.keep(set)
  for (let round = 0; round < 40; round += 1) {
    const next = {}
    refill.enter(next)
    refill.settled(session)
    session = next
    await later(250)
    assert.equal(set.added.length, 0)
  }
  refill.settled(session)
  await later(520)
  assert.equal(set.added.length, 1)
})

test('a client that opens a session and says no more keeps spares from being started for seconds only', async (t) => {
  const later = clock(t)
  const refill = new Refill({ starts: () => 0 })
  const set = lacking(1)
  refill.enter({})
  refill.keep(set)
  await later(4900)
  assert.equal(set.added.length, 0)
  await later(600)
  assert.equal(set.added.length, 1)
})

test('what fails waits for its time, and holds up nothing else', async (t) => {
  const later = clock(t)
  const refill = new Refill({ starts: () => 0 })
  const failing = lacking(1, 5000)
  const other = lacking(1)
  refill.keep(failing)
  refill.keep(other)
  assert.deepEqual([failing.added.length, other.added.length], [0, 1])
  refill.close()
  await later(6000)
  assert.equal(failing.added.length, 0)
})
