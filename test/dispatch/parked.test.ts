import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InputRequests } from '../../src/call/call.ts'
import { Parked, type Turn } from '../../src/dispatch/parked.ts'
import { ToolgateError } from '../../src/errors.ts'
import { parseExact } from '../../src/protocol/exact-json.ts'
import { requestMessage } from '../../src/protocol/read.ts'
import { within } from '../harness/until.ts'
import { configWith, FORM, type LinkGiven, linkOf, visitOf } from './given.ts'
import { answerOf, asksOf, open, refusedWith, resultIn } from './yard.ts'

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
  const parked = new Parked({ config: configWith({}), dispatch, serves: () => true })
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

test('a question that comes a moment after another is asked with it, for a while', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
  const steps = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
  const { parked } = open(async (call) => {
    const told = [call.ask({ first: FORM })]
    for (const [at, { promise }] of steps.entries()) {
      await promise
      told.push(call.ask({ [`later-${at}`]: FORM }))
    }
    return Promise.all(told)
  })
  let turn: Turn | undefined
  const turning = parked.begin(linkOf(), visitOf()).then((asked) => {
    turn = asked
  })
  for (const step of steps) {
    await settled()
    t.mock.timers.tick(15)
    await settled()
    assert.equal(turn, undefined)
    step.resolve()
  }
  await settled()
  t.mock.timers.tick(19)
  await settled()
  assert.equal(turn, undefined)
  t.mock.timers.tick(1)
  await turning
  assert.deepEqual(Object.keys(asksOf(turn as unknown as Turn).asks), [
    'first',
    'later-0',
    'later-1',
    'later-2',
  ])
})

test('a tool that never stops asking is not listened to for ever', async (t) => {
  const over = new AbortController()
  t.after(() => over.abort())
  const { parked } = open(async (call) => {
    for (let at = 0; !over.signal.aborted; at += 1) {
      void call.ask({ [`ask-${at}`]: FORM }).catch(() => {})
      await new Promise((again) => setTimeout(again, 5))
    }
  })
  const turn = await within(5_000, 'what it asks', parked.begin(linkOf(), visitOf()))
  assert.ok('ask-0' in asksOf(turn).asks)
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

test('only a call, a prompt and a resource may ask; anything else has nobody to ask', async () => {
  const { parked } = open(async ({ ask }) => typeof ask)
  for (const [method, kind] of [
    ['tools/call', 'function'],
    ['prompts/get', 'function'],
    ['resources/read', 'function'],
    ['tools/list', 'undefined'],
    ['completion/complete', 'undefined'],
    ['subscriptions/listen', 'undefined'],
  ] as const) {
    const visit = { ...visitOf(), request: requestMessage(1, method) }
    assert.equal(resultIn(await parked.begin(linkOf(), visit)), kind, method)
  }
})

test('what waits on a version that serves no more is ended, and asks nobody any more', async () => {
  const late = Promise.withResolvers<void>()
  const { parked, ended, served } = open(async (call) => {
    if (call.link.id === 'late') await late.promise
    return call.ask({ a: FORM })
  })
  const codes = () => ended.map((error) => (error as ToolgateError).code)
  const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
  const other = asksOf(await parked.begin(linkOf({ tool: 'other' }), visitOf()))
  const attended = parked.begin(linkOf({ more: { id: 'late' } }), visitOf())
  parked.retire('box')
  assert.equal(parked.count, 2)
  served.version = 'v2'
  parked.retire('box')
  assert.equal(parked.count, 1)
  await nextTurn()
  assert.deepEqual(codes(), ['unavailable'])
  const again = parked.resume(state, linkOf(), visitOf(2), { a: {} })
  await assert.rejects(again, refusedWith('invalid_params'))
  late.resolve()
  await assert.rejects(attended, refusedWith('unavailable', /changed.*Call again/))
  answerOf(await parked.resume(other.state, linkOf({ tool: 'other' }), visitOf(3), { a: {} }))
  assert.equal(parked.count, 0)
})

test('a number is no answer, however it was written', async () => {
  const { parked } = open((call) => call.ask({ a: FORM }))
  const { state } = asksOf(await parked.begin(linkOf(), visitOf()))
  const resume = (text: string) => parked.resume(state, linkOf(), visitOf(2), parseExact(text))
  await assert.rejects(resume('{"a":1.0}'), refusedWith('invalid_params'))
  await assert.rejects(resume('1e400'), refusedWith('invalid_params'))
  const { bytes } = answerOf(await resume('{"a":{"n":1.0}}'))
  assert.match(`${bytes}`, /"result":\{"a":\{"n":1\.0\}\}/)
})

/** What follows from what has happened has happened. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
}
