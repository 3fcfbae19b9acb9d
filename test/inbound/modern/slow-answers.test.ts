// Apart from the others: the clock of all calls has to be mocked before the first of them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { errorMessage } from '../../../src/protocol/read.ts'
import { modernStream } from '../../harness/modern.ts'
import { openModern } from './entrance.ts'

test('an answer that takes long becomes a stream at its time, and an error rides on it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const entrance = await openModern(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  const began = Promise.withResolvers<void>()
  entrance.turns.set('tools/call', async (_link, { request }) => {
    began.resolve()
    await promise
    return { answer: errorMessage(request.id ?? 0, -32601, 'Unknown') }
  })
  const answer = modernStream(entrance.url, 'tools/call', { name: 'x' })
  await began.promise
  passes(t, 10_000)
  const { status, headers, text } = await answer
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'text/event-stream')
  resolve()
  assert.match(await text(), /"code":-32601/)
})

test('a listen whose tool takes its time is a stream before it is acknowledged', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const entrance = await openModern(t)
  const began = Promise.withResolvers<void>()
  entrance.turns.set('subscriptions/listen', async (_link, { signal }) => {
    began.resolve()
    await once(signal, 'abort')
    throw signal.reason
  })
  const filter = { notifications: {} }
  const opening = modernStream(entrance.url, 'subscriptions/listen', filter)
  await began.promise
  passes(t, 1000)
  const stream = await opening
  assert.equal(stream.headers['content-type'], 'text/event-stream')
  assert.equal(stream.events.length, 0)
  stream.abort()
})

/** Lets milliseconds pass for whoever waits; the timers of the test have to be mocked. */
function passes(t: TestContext, milliseconds: number): void {
  const now = performance.now() + milliseconds
  const clock = t.mock.method(performance, 'now', () => now)
  t.mock.timers.tick(milliseconds)
  clock.mock.restore()
}
