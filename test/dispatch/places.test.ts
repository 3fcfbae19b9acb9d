import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ToolgateError } from '../../src/errors.ts'
import { FORM, type LinkGiven, linkOf, visitOf } from './given.ts'
import { answerOf, asksOf, open, refusedWith, resultIn } from './yard.ts'

test('one caller of one tool has so many calls that wait, and no more', async () => {
  const { parked } = open((call) => call.ask({ a: FORM }), { parked: 2 })
  const begin = (given: LinkGiven = {}) => parked.begin(linkOf(given), visitOf())
  const { state } = asksOf(await begin())
  asksOf(await begin())
  await assert.rejects(begin(), refusedWith('unavailable', /sessions\.parked/))
  asksOf(await begin({ caller: 'bob' }))
  asksOf(await begin({ tool: 'other' }))
  assert.equal(parked.count, 4)
  answerOf(await parked.resume(state, linkOf(), visitOf(2), { a: {} }))
  asksOf(await begin())
  await assert.rejects(begin(), refusedWith('unavailable'))
})

test('a call that has its answers and works on takes no place', async () => {
  const { parked } = open(
    async (call) => {
      await call.ask({ a: FORM })
      if (call.link.id === 'busy') await new Promise(() => {})
    },
    { parked: 1 },
  )
  const { state } = asksOf(await parked.begin(linkOf({ more: { id: 'busy' } }), visitOf()))
  const busy = visitOf(2)
  const turn = parked.resume(state, linkOf(), busy, { a: {} })
  asksOf(await parked.begin(linkOf(), visitOf()))
  busy.leave()
  await assert.rejects(turn, refusedWith('cancelled'))
})

test('of anonymous callers the one that waits longest makes room', async () => {
  const { parked, ended } = open((call) => call.ask({ a: FORM }), { parked: 2 })
  const anonymous = { caller: null }
  const begin = () => parked.begin(linkOf(anonymous), visitOf())
  const states = []
  for (const _ of [1, 2, 3]) states.push(asksOf(await begin()).state)
  assert.equal(parked.count, 2)
  assert.equal((ended[0] as ToolgateError).code, 'unavailable')
  const [first = '', ...rest] = states
  const resume = (state: string) => parked.resume(state, linkOf(anonymous), visitOf(2), { a: {} })
  await assert.rejects(resume(first), refusedWith('invalid_params'))
  for (const state of rest) answerOf(await resume(state))
})

test('all callers together have so many, and no more', async () => {
  const { parked } = open((call) => call.ask({ a: FORM }), { max: 2 })
  const begin = (caller: string) => parked.begin(linkOf({ caller }), visitOf())
  const { state } = asksOf(await begin('ann'))
  asksOf(await begin('bob'))
  await assert.rejects(begin('cid'), refusedWith('unavailable', /sessions\.max/))
  answerOf(await parked.resume(state, linkOf({ caller: 'ann' }), visitOf(2), { a: {} }))
  asksOf(await begin('cid'))
})

test('at shutdown every call that waits ends, stubborn ones too, and none begins to', async () => {
  const { parked, ended } = open(async (call) => {
    const told = await call.ask({ a: FORM }).catch((error) => error)
    if (call.link.id === 'stubborn') await new Promise(() => {})
    if (told instanceof Error) throw told
    return told
  })
  const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
  asksOf(await parked.begin(linkOf({ more: { id: 'stubborn' } }), visitOf()))
  const working = asksOf(await parked.begin(linkOf(), visitOf()))
  const begun = parked.begin(linkOf(), visitOf())
  await Promise.resolve()
  const turn = parked.resume(working.state, linkOf(), visitOf(2), { a: {} })
  parked.close('the end')
  assert.equal(parked.count, 0)
  assert.deepEqual(resultIn(await turn), { a: {} })
  await assert.rejects(begun, refusedWith('shutting_down', /the end/))
  await nextTurn()
  await nextTurn()
  assert.deepEqual(
    ended.map((error) => (error as ToolgateError).code),
    ['shutting_down', 'shutting_down', 'shutting_down'],
  )
  await assert.rejects(parked.begin(linkOf(), visitOf()), refusedWith('shutting_down'))
  const late = parked.resume(state, linkOf(), visitOf(3), { a: {} })
  await assert.rejects(late, refusedWith('shutting_down'))
})
