import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Call } from '../../src/call/call.ts'
import { ToolgateError } from '../../src/errors.ts'
import { notificationMessage } from '../../src/protocol/read.ts'
import { FORM, linkOf, resultOf, visitOf } from './given.ts'
import { answerOf, asksOf, open, refusedWith, resultIn } from './yard.ts'

test('a client that goes away gives its call up, but not while nobody waits', async () => {
  const { parked, ended } = open(async (call) => {
    await call.ask({ a: FORM })
    return new Promise(() => {})
  })
  const first = visitOf()
  const { state } = asksOf(await parked.begin(linkOf(), first))
  first.leave()
  const left = visitOf(2)
  left.leave()
  const gone = parked.resume(state, linkOf(), left, { a: {} })
  await assert.rejects(gone, refusedWith('cancelled'))
  await nextTurn()
  assert.deepEqual(ended, [])
  assert.equal(parked.count, 1)
  const second = visitOf(3)
  const turn = parked.resume(state, linkOf(), second, { a: {} })
  second.leave()
  await assert.rejects(turn, refusedWith('cancelled'))
  assert.equal(ended.length, 1)
})

test('a client that has gone before its turn began costs no call', async () => {
  let calls = 0
  const { parked, closed } = open(async () => {
    calls += 1
  })
  const visit = visitOf()
  visit.leave()
  await assert.rejects(parked.begin(linkOf(), visit), refusedWith('cancelled'))
  assert.equal(calls, 0)
  assert.deepEqual(closed, ['box'])
})

test('a client that leaves while the call begins to ask leaves nothing behind', async () => {
  const { parked } = open((call) => call.ask({ a: FORM }), { parked: 1 })
  const visit = visitOf()
  const turn = parked.begin(linkOf(), visit)
  await Promise.resolve()
  visit.leave()
  await assert.rejects(turn, refusedWith('cancelled'))
  await nextTurn()
  assert.equal(parked.count, 0)
  asksOf(await parked.begin(linkOf(), visitOf()))
})

test('what a call notifies goes to whoever waits, and to nobody while nobody does', async () => {
  const progress = (count: number) =>
    notificationMessage('notifications/progress', { progressToken: 'one', progress: count })
  const log = notificationMessage('notifications/message', { level: 'info', data: 'hm' })
  const other = notificationMessage('notifications/other', {})
  let call: Call | undefined
  const { parked } = open(async (asking) => {
    call = asking
    for (const each of [progress(1), log, other]) asking.notify(each)
    await asking.ask({ a: FORM })
    for (const each of [progress(3), log, other]) asking.notify(each)
    return 'done'
  })
  const first = visitOf(1, { progressToken: 'one' })
  const { state } = asksOf(await parked.begin(linkOf(), first))
  call?.notify(progress(2))
  assert.deepEqual(
    first.seen.map((each) => each.json().params),
    [{ progressToken: 'one', progress: 1 }, { level: 'info', data: 'hm' }, {}],
  )
  const second = visitOf(2, { progressToken: 'two' })
  await parked.resume(state, linkOf({ more: { logLevel: 'info' } }), second, { a: {} })
  assert.deepEqual(
    second.seen.map((each) => each.json().params),
    [{ progressToken: 'two', progress: 3 }, { level: 'info', data: 'hm' }, {}],
  )
  const { state: again } = asksOf(await parked.begin(linkOf(), visitOf(3, { progressToken: 3 })))
  const last = visitOf(4)
  await parked.resume(again, linkOf(), last, { a: {} })
  assert.deepEqual(
    last.seen.map(({ method }) => method),
    ['notifications/other'],
  )
})

test('a call that runs out of time while its client is away is over', async () => {
  const late = Promise.withResolvers<never>()
  const { parked } = open(
    (call) => {
      const asked = call.ask({ a: FORM })
      return call.link.id === 'late' ? Promise.race([asked, late.promise]) : asked
    },
    { parked: 1 },
  )
  const { state } = asksOf(await parked.begin(linkOf({ more: { id: 'late' } }), visitOf()))
  late.reject(new ToolgateError('timeout', 'timeouts.ask'))
  await nextTurn()
  assert.equal(parked.count, 0)
  const turn = parked.resume(state, linkOf(), visitOf(2), { a: {} })
  await assert.rejects(turn, refusedWith('invalid_params', /expired.*Call again/))
  asksOf(await parked.begin(linkOf(), visitOf()))
})

test('how a call ended while its client was away is told when it comes back', async () => {
  for (const end of [
    (call: Call) => resultOf(call, 'gave up'),
    () => new ToolgateError('tool_gone', 'It is gone.'),
  ]) {
    const go = Promise.withResolvers<void>()
    const { parked } = open(async (call) => {
      void call.ask({ a: FORM }).catch(() => {})
      await go.promise
      const ended = end(call)
      if (ended instanceof Error) throw ended
      return 'gave up'
    })
    const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
    go.resolve()
    await nextTurn()
    const turn = parked.resume(state, linkOf(), visitOf('two'), 'whatever')
    if (end.length === 0) await assert.rejects(turn, refusedWith('tool_gone'))
    else {
      assert.equal(resultIn(await turn), 'gave up')
      assert.equal(answerOf(await turn).id, 'two')
    }
    assert.equal(parked.count, 0)
    const again = parked.resume(state, linkOf(), visitOf(3), {})
    await assert.rejects(again, refusedWith('invalid_params'))
  }
})

test('an answer that nobody comes back for is kept for a while, a large one not at all', async (t) => {
  const go = Promise.withResolvers<void>()
  const { parked } = open(
    async (call) => {
      void call.ask({ a: FORM }).catch(() => {})
      await go.promise
      return call.link.tool.name === 'large' ? 'x'.repeat(300_000) : 'done'
    },
    { ask: 1000 },
  )
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const begun = [
    parked.begin(linkOf(), visitOf()),
    parked.begin(linkOf({ tool: 'large' }), visitOf()),
  ]
  await nextTurn()
  t.mock.timers.tick(20)
  const [, large] = (await Promise.all(begun)).map(asksOf)
  go.resolve()
  await nextTurn()
  assert.equal(parked.count, 2)
  const turn = parked.resume(large?.state ?? '', linkOf({ tool: 'large' }), visitOf(2), {})
  await assert.rejects(turn, refusedWith('unavailable', /Call again/))
  t.mock.timers.tick(1000)
  assert.equal(parked.count, 0)
})

test('an answer that overtakes the questions is the answer', async () => {
  const { parked } = open(async (call) => {
    void call.ask({ a: FORM }).catch(() => {})
    return 'done'
  })
  assert.equal(resultIn(await parked.begin(linkOf(), visitOf())), 'done')
  await nextTurn()
  assert.equal(parked.count, 0)
})

test('a later request hears what it wants of the logs, whatever the first one wanted', async () => {
  const log = (level: string) => notificationMessage('notifications/message', { level })
  const { parked } = open(async (call) => {
    await call.ask({ a: FORM })
    for (const level of ['debug', 'info', 'error', 'strange']) call.notify(log(level))
  })
  const first = linkOf({ more: { logLevel: 'debug' } })
  for (const [later, heard] of [
    [linkOf({ more: { logLevel: 'warning' } }), ['error', 'strange']],
    [linkOf(), []],
    [linkOf({ more: { era: 'legacy' } }), ['debug', 'info', 'error', 'strange']],
  ] as const) {
    const { state } = asksOf(await parked.begin(first, visitOf()))
    const visit = visitOf(2)
    await parked.resume(state, later, visit, { a: {} })
    assert.deepEqual(
      visit.seen.map((each) => (each.json().params as { level: string }).level),
      heard,
    )
  }
})
