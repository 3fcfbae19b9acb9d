import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Call, InputRequests } from '../../src/call/call.ts'
import { createDispatch, type DispatchParts } from '../../src/dispatch/create.ts'
import { ToolgateError } from '../../src/errors.ts'
import type { Connection } from '../../src/outbound/connection.ts'
import type { Lease } from '../../src/pool/lease.ts'
import { requestMessage } from '../../src/protocol/read.ts'
import { configWith, FORM, type LinkGiven, linkOf, resultOf } from './given.ts'

interface Given extends LinkGiven {
  readonly ask?: number
  readonly method?: string
  /** The client. */
  readonly answer?: Call['ask']
  /** The tool. */
  run(call: Call): Promise<unknown>
}

/** One call through the waist, to a tool that does what `run` says. */
async function call({ ask = 60_000, method = 'tools/call', answer, run, ...given }: Given) {
  const seen: string[] = []
  const ends = new Map<Call, (error: Error) => void>()
  const connection = {
    async call(open: Call) {
      const ended = new Promise<never>((_, reject) => ends.set(open, reject))
      return resultOf(open, await Promise.race([run(open), ended]))
    },
    cancel(open: Call, reason: Error) {
      seen.push('cancel')
      ends.get(open)?.(reason)
    },
    alive: async () => true,
    asking: () => ({ total: 0, open: undefined }),
  } as Partial<Connection> as Connection
  const lease = {
    connection: () => connection,
    begin() {},
    end() {},
    doubt: () => void seen.push('doubt'),
    trust: () => void seen.push('trust'),
    condemn: () => void seen.push('condemn'),
    abandon: (_connection: unknown, reason: string) => void seen.push(`abandon: ${reason}`),
  } as Partial<Lease> as Lease
  const dispatch = createDispatch({
    config: configWith({ timeouts: { ask } }),
    guard: { admit: async () => {}, see() {} },
    pool: { lease: async () => lease },
    telemetry: {
      log: { info() {}, error() {} },
      meters: { call() {} },
      span: () => ({ traceId: 't', traceparent: 'p', end() {} }),
    },
  } as unknown as DispatchParts)
  const link = linkOf(given)
  await dispatch.open(link)
  const answered = dispatch.call({
    link,
    request: requestMessage(1, method, {}),
    trace: { entrance: 'modern', requestId: 'r1' },
    notify() {},
    ...(answer !== undefined && { ask: answer }),
  })
  return { dispatch, seen, answered: answered.then((message) => message.json().result) }
}

const failure = (code: string, told: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof ToolgateError, String(thrown))
  assert.equal(thrown.code, code)
  assert.match(thrown.message, told)
  return true
}
/** A client that answers each question after so many milliseconds. */
const slowly =
  (milliseconds: number): Call['ask'] =>
  async (requests) => {
    await wait(milliseconds)
    return Object.fromEntries(Object.keys(requests).map((key) => [key, {}]))
  }

test('what a tool asks reaches the client, and the answers the tool', async () => {
  const asked: InputRequests[] = []
  const answer: Call['ask'] = async (requests) => {
    asked.push(requests)
    return { a: { action: 'accept' } }
  }
  const { answered } = await call({ answer, run: async (open) => open.ask?.({ a: FORM }) })
  assert.deepEqual(await answered, { a: { action: 'accept' } })
  assert.deepEqual(asked, [{ a: FORM }])
})

test('nobody is bothered with no questions', async () => {
  const answer: Call['ask'] = () => Promise.reject(new Error('asked'))
  const { answered } = await call({ answer, run: async (open) => open.ask?.({}) })
  assert.deepEqual(await answered, {})
})

test('where nothing can be asked, a tool sees that', async () => {
  const { answered } = await call({ run: async (open) => open.ask === undefined })
  assert.equal(await answered, true)
})

test('a client is never asked for what it did not declare', async () => {
  const answer: Call['ask'] = () => Promise.reject(new Error('asked'))
  const capabilities = { elicitation: { url: {} } }
  const run: Given['run'] = async (open) => open.ask?.({ a: FORM, b: { method: 'roots/list' } })
  const { answered } = await call({ answer, run, more: { capabilities } })
  await assert.rejects(answered, (thrown) => {
    failure('missing_capability', /elicitation\.form, roots/)(thrown)
    const requiredCapabilities = { elicitation: { form: {} }, roots: {} }
    assert.deepEqual((thrown as ToolgateError).data, { requiredCapabilities })
    return true
  })
})

test('a tool that hangs is told to stop at its limit, and has to show that it lives', async () => {
  const { answered, seen } = await call({ timeout: 20, run: () => new Promise(() => {}) })
  await assert.rejects(answered, failure('timeout', /20 ms \(timeout of box\)/))
  assert.deepEqual(seen, ['cancel', 'doubt', 'trust'])
})

test("time in which the client is asked is not the tool's", async () => {
  const { answered, seen } = await call({
    timeout: 40,
    answer: slowly(60),
    async run(open) {
      for (const key of ['a', 'b', 'c']) await open.ask?.({ [key]: FORM })
      return 'done'
    },
  })
  assert.equal(await answered, 'done')
  assert.deepEqual(seen, [])
})

test('questions that overlap lend their time once', async () => {
  const since = performance.now()
  const { answered } = await call({
    timeout: 100,
    answer: slowly(200),
    async run(open) {
      await Promise.all(['a', 'b', 'c'].map((key) => open.ask?.({ [key]: FORM })))
      return new Promise(() => {})
    },
  })
  await assert.rejects(answered, failure('timeout', /timeout of box/))
  const took = performance.now() - since
  assert.ok(took >= 290 && took < 490, `${took} ms`)
})

test('a client that does not answer in time ends its call, whatever its tool has left', async () => {
  for (const timeout of [10, 60_000]) {
    const { answered, seen } = await call({
      timeout,
      ask: 60,
      answer: () => new Promise(() => {}),
      run: (open) => Promise.resolve(open.ask?.({ a: FORM })),
    })
    await assert.rejects(answered, failure('timeout', /60 ms \(timeouts\.ask\)/))
    assert.deepEqual(seen, ['cancel', 'abandon: its client did not answer what it was asked'])
  }
})

test('a question that is answered after its call has ended moves nothing', async () => {
  const late = Promise.withResolvers<Record<string, unknown>>()
  const { answered, seen } = await call({
    timeout: 20,
    ask: 20,
    answer: () => late.promise,
    async run(open) {
      void open.ask?.({ a: FORM })
      return 'done'
    },
  })
  assert.equal(await answered, 'done')
  late.resolve({ a: {} })
  await wait(50)
  assert.deepEqual(seen, [])
})

test('a listen has no limit of time, and nobody waits for it when the gateway ends', async () => {
  const end = Promise.withResolvers<string>()
  const method = 'subscriptions/listen'
  const { answered, dispatch, seen } = await call({ method, timeout: 10, run: () => end.promise })
  assert.equal(dispatch.inFlight.count, 0)
  await dispatch.inFlight.idle()
  await wait(30)
  assert.deepEqual(seen, [])
  end.resolve('ended')
  assert.equal(await answered, 'ended')
  assert.equal(dispatch.inFlight.count, 0)
})

test('to a legacy client a listen is a request as any other', async () => {
  const method = 'subscriptions/listen'
  const more = { era: 'legacy' } as const
  const run = () => new Promise(() => {})
  const { answered, dispatch } = await call({ method, timeout: 10, more, run })
  assert.equal(dispatch.inFlight.count, 1)
  await assert.rejects(answered, failure('timeout', /10 ms/))
})

test('a gateway that ends takes no call any more, and no listen', async () => {
  const end = Promise.withResolvers<string>()
  const { answered, dispatch } = await call({ run: () => end.promise })
  assert.equal(dispatch.inFlight.count, 1)
  dispatch.inFlight.refuse()
  for (const method of ['tools/call', 'subscriptions/listen']) {
    const refused = dispatch.call({
      link: linkOf(),
      request: requestMessage(2, method, {}),
      trace: { entrance: 'modern', requestId: 'r2' },
      notify() {},
    })
    await assert.rejects(refused, failure('shutting_down', /shutting down/))
  }
  const idle = dispatch.inFlight.idle()
  end.resolve('done')
  assert.equal(await answered, 'done')
  await idle
})
