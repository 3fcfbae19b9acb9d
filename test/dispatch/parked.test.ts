import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Call, InputRequests } from '../../src/call/call.ts'
import type { Dispatch } from '../../src/dispatch/dispatch.ts'
import { Parked, type Turn } from '../../src/dispatch/parked.ts'
import { ToolgateError } from '../../src/errors.ts'
import type { Message } from '../../src/protocol/message.ts'
import { notificationMessage } from '../../src/protocol/read.ts'
import { configWith, FORM, type LinkGiven, linkOf, resultOf, visitOf } from './given.ts'

type Run = (call: Asking) => Promise<unknown>
type Asking = Call & { ask: NonNullable<Call['ask']> }

interface Limits {
  readonly ask?: number
  readonly parked?: number
  readonly max?: number
}

/** Calls that wait, above a waist that does what `run` says and ends with what it answers. */
function open(run: Run, { ask = 60_000, ...sessions }: Limits = {}) {
  const closed: string[] = []
  const ended: unknown[] = []
  const dispatch: Dispatch = {
    open: async () => {},
    async call(call) {
      const gone = new Promise<never>((_, reject) => {
        call.signal?.addEventListener('abort', () => reject(call.signal?.reason))
      })
      try {
        return resultOf(call, await Promise.race([run(call as Asking), gone]))
      } catch (error) {
        ended.push(error)
        throw error
      }
    },
    tell() {},
    close: (link) => void closed.push(link.tool.name),
  }
  const config = configWith({ timeouts: { ask }, sessions })
  return { parked: new Parked({ config, dispatch }), closed, ended }
}

const asksOf = (turn: Turn) => {
  assert.ok('asks' in turn, 'it asks')
  return turn
}
const answerOf = (turn: Turn): Message => {
  assert.ok('answer' in turn, 'it answers')
  return turn.answer
}
const resultIn = (turn: Turn) => answerOf(turn).json().result
const refusedWith =
  (code: string, told = /./) =>
  (thrown: unknown) => {
    assert.ok(thrown instanceof ToolgateError, String(thrown))
    assert.equal(thrown.code, code)
    assert.match(thrown.message, told)
    return true
  }

test('a call that asks nothing answers with what the waist answered, untouched', async () => {
  const { parked, closed } = open(async () => 'done')
  const link = linkOf()
  const visit = visitOf('id')
  const turn = await parked.begin(link, visit)
  assert.equal(answerOf(turn).id, 'id')
  assert.equal(resultIn(turn), 'done')
  assert.deepEqual(closed, ['box'])
  assert.equal(parked.count, 0)
})

test('what a call fails with its turn fails with', async () => {
  const error = new ToolgateError('tool_gone', 'It is gone.')
  const { parked, closed } = open(() => Promise.reject(error))
  await assert.rejects(parked.begin(linkOf(), visitOf()), error)
  assert.deepEqual(closed, ['box'])
})

test('a link that cannot be opened fails the turn', async () => {
  const error = new ToolgateError('unavailable', 'No process.')
  const dispatch = { ...open(async () => {}).parked.dispatch, open: () => Promise.reject(error) }
  const parked = new Parked({ config: configWith({}), dispatch })
  await assert.rejects(parked.begin(linkOf(), visitOf()), error)
})

test('what is asked ends the turn, and the answers go on with the call', async () => {
  const { parked, closed } = open((call) => call.ask({ name: FORM }))
  const first = asksOf(await parked.begin(linkOf(), visitOf(1)))
  assert.deepEqual(first.asks, { name: FORM })
  assert.match(first.state, /^[0-9a-f]{6}\.[\w-]{32}$/)
  assert.equal(parked.count, 1)
  assert.deepEqual(closed, [])
  const answers = { name: { action: 'accept', content: { n: 1 } } }
  const second = await parked.resume(first.state, linkOf(), visitOf(2), answers)
  assert.equal(answerOf(second).id, 2)
  assert.deepEqual(resultIn(second), answers)
  assert.equal(parked.count, 0)
  assert.deepEqual(closed, ['box'])
})

test('a call asks as often as it likes, each time under another state', async () => {
  const { parked } = open(async (call) => {
    const told = []
    for (const round of [1, 2, 3]) told.push(await call.ask({ round: { ...FORM, params: round } }))
    return told
  })
  const states = new Set<string>()
  let turn = await parked.begin(linkOf(), visitOf(0))
  for (const round of [1, 2, 3]) {
    const { asks, state } = asksOf(turn)
    assert.deepEqual(asks, { round: { ...FORM, params: round } })
    states.add(state)
    turn = await parked.resume(state, linkOf(), visitOf(round), { round: { round } })
  }
  assert.equal(states.size, 3)
  assert.deepEqual(
    resultIn(turn),
    [1, 2, 3].map((round) => ({ round: { round } })),
  )
})

test('what is asked in one turn is asked together, under keys of its own', async () => {
  const { parked } = open((call) =>
    Promise.all([
      call.ask({ a: FORM, b: FORM }),
      call.ask({ a: FORM, a_2: FORM }),
      Promise.resolve().then(() => call.ask(JSON.parse('{"__proto__":{"method":"x"},"a":{}}'))),
    ]),
  )
  const { asks, state } = asksOf(await parked.begin(linkOf(), visitOf()))
  const keys = Object.keys(asks)
  assert.deepEqual(keys, ['a', 'b', 'a_3', 'a_2', '__proto__', 'a_4'])
  const answers = JSON.parse(`{${keys.map((key) => `"${key}":{"to":"${key}"}`).join()}}`)
  const told = resultIn(await parked.resume(state, linkOf(), visitOf(2), answers)) as object[]
  assert.deepEqual(
    told.map((each) => Object.entries(each).map(([key, { to }]) => [key, to])),
    [
      [
        ['a', 'a'],
        ['b', 'b'],
      ],
      [
        ['a', 'a_3'],
        ['a_2', 'a_2'],
      ],
      [
        ['__proto__', '__proto__'],
        ['a', 'a_4'],
      ],
    ],
  )
})

test('what is asked while the client is away is asked at its next turn', async () => {
  const late = Promise.withResolvers<void>()
  const { parked } = open((call) =>
    Promise.all([call.ask({ a: FORM }), late.promise.then(() => call.ask({ a: FORM }))]),
  )
  const first = asksOf(await parked.begin(linkOf(), visitOf()))
  late.resolve()
  await nextTurn()
  const second = asksOf(await parked.resume(first.state, linkOf(), visitOf(2), { a: { n: 1 } }))
  assert.deepEqual(Object.keys(second.asks), ['a_2'])
  const answers = { a_2: { n: 2 } }
  const last = await parked.resume(second.state, linkOf(), visitOf(3), answers)
  assert.deepEqual(resultIn(last), [{ a: { n: 1 } }, { a: { n: 2 } }])
})

test('a missing answer is asked for again, those that were given are kept', async () => {
  const { parked } = open((call) => call.ask({ a: FORM, b: FORM }))
  const first = asksOf(await parked.begin(linkOf(), visitOf()))
  const second = asksOf(
    await parked.resume(first.state, linkOf(), visitOf(2), { b: { n: 2 }, other: 7 }),
  )
  assert.deepEqual(Object.keys(second.asks), ['a'])
  assert.notEqual(second.state, first.state)
  const third = asksOf(await parked.resume(second.state, linkOf(), visitOf(3), undefined))
  assert.deepEqual(Object.keys(third.asks), ['a'])
  const answers = { a: { n: 1 }, b: { n: 3 } }
  const last = await parked.resume(third.state, linkOf(), visitOf(4), answers)
  assert.deepEqual(resultIn(last), { a: { n: 1 }, b: { n: 2 } })
})

test('an answer that is no object is refused, and the call waits on', async () => {
  const { parked } = open((call) => call.ask({ a: FORM, b: FORM }))
  const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
  const resume = (answers: unknown) => parked.resume(state, linkOf(), visitOf(2), answers)
  for (const wrong of [{ a: {}, b: 7 }, { a: null }, { b: [] }, { a: 'x' }]) {
    await assert.rejects(resume(wrong), refusedWith('invalid_params', /"[ab]" must be an object/))
  }
  for (const wrong of ['x', 7, []]) {
    await assert.rejects(resume(wrong), refusedWith('invalid_params', /"inputResponses"/))
  }
  assert.equal(parked.count, 1)
  assert.deepEqual(resultIn(await resume({ a: {}, b: {} })), { a: {}, b: {} })
})

test('nobody else can go on with a call, and nobody twice', async () => {
  const go = Promise.withResolvers<void>()
  const { parked } = open(async (call) => {
    const told = await call.ask({ a: FORM })
    await go.promise
    return told
  })
  const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
  const resume = (id: string, given: LinkGiven = {}) =>
    parked.resume(id, linkOf(given), visitOf(2), { a: {} })
  const unknown = refusedWith('invalid_params', /Call again/)
  await assert.rejects(resume('000000.unknown'), unknown)
  await assert.rejects(resume('__proto__'), unknown)
  await assert.rejects(resume(state, { caller: 'bob' }), unknown)
  await assert.rejects(resume(state, { caller: null }), unknown)
  await assert.rejects(resume(state, { tool: 'other' }), unknown)
  const [one, two] = [resume(state), resume(state)]
  await assert.rejects(two, unknown)
  await assert.rejects(resume(state), unknown)
  go.resolve()
  assert.deepEqual(resultIn(await one), { a: {} })
  await assert.rejects(resume(state), unknown)
})

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

test('a client is never asked for what its later request does not declare', async () => {
  const { parked } = open(async (call) => {
    await call.ask({ a: FORM })
    return call.ask({ b: FORM }).catch(({ code }) => code)
  })
  const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
  const poorer = linkOf({ more: { capabilities: { roots: {} } } })
  const turn = await parked.resume(state, poorer, visitOf(2), { a: {} })
  assert.equal(resultIn(turn), 'missing_capability')
})

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

test('a call that has ended asks nobody', async () => {
  let ask: ((requests: InputRequests) => Promise<unknown>) | undefined
  const { parked } = open(async (call) => {
    ask = (requests) => call.ask(requests)
  })
  await parked.begin(linkOf(), visitOf())
  await assert.rejects(async () => ask?.({ a: FORM }), refusedWith('cancelled'))
  assert.equal(parked.count, 0)
})

test('a tool that asks for too much at once is told so', async () => {
  const { parked } = open((call) =>
    call.ask(Object.fromEntries(Array.from({ length: 257 }, (_, key) => [key, FORM]))),
  )
  await assert.rejects(parked.begin(linkOf(), visitOf()), refusedWith('tool_misbehaved', /256/))
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
