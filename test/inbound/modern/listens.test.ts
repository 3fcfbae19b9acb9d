import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Link } from '../../../src/call/link.ts'
import type { Turn, Visit } from '../../../src/dispatch/parked.ts'
import { ToolgateError } from '../../../src/errors.ts'
import { META } from '../../../src/protocol/meta.ts'
import { errorMessage, notificationMessage, resultMessage } from '../../../src/protocol/read.ts'
import { modern, modernStream } from '../../harness/modern.ts'
import { errorOf, messageIn } from '../../harness/session.ts'
import { until } from '../../harness/until.ts'
import { type Entrance, openModern } from './entrance.ts'

const ACK = 'notifications/subscriptions/acknowledged'
const FILTER = { notifications: { toolsListChanged: true } }

/** A tool that acknowledges a listen and then says nothing more. */
function listensFor(entrance: Entrance): Visit[] {
  const open: Visit[] = []
  entrance.turns.set('subscriptions/listen', async (_link: Link, visit: Visit): Promise<Turn> => {
    open.push(visit)
    const _meta = { [META.subscriptionId]: visit.request.id }
    visit.notify(notificationMessage(ACK, { _meta, ...FILTER }))
    await once(visit.signal, 'abort')
    throw visit.signal.reason
  })
  return open
}

const listen = (entrance: Entrance, id: string | number = 1) =>
  modernStream(entrance.url, 'subscriptions/listen', FILTER, { id })

test('a listen is a stream that begins with its acknowledgement', async (t) => {
  const entrance = await openModern(t)
  const [open, stream] = [listensFor(entrance), await listen(entrance, 'l')]
  assert.equal(stream.status, 200)
  assert.equal(stream.headers['content-type'], 'text/event-stream')
  assert.equal(stream.headers['x-accel-buffering'], 'no')
  const first = await stream.waitFor('the first event', () => true)
  assert.equal(messageIn(first).method, ACK)
  assert.equal(entrance.listens.size, 1)
  open[0]?.notify(notificationMessage('notifications/tools/list_changed', {}))
  await stream.waitFor('the change', ({ data }) => data.includes('list_changed'))
  stream.abort()
  await until('the listen to be over', () => entrance.listens.size === 0)
})

test('a client that goes away has ended its listen', async (t) => {
  const entrance = await openModern(t)
  const open = listensFor(entrance)
  const stream = await listen(entrance)
  stream.abort()
  const { signal } = open[0] as Visit
  if (!signal.aborted) await once(signal, 'abort')
  await until('the listen to be over', () => entrance.listens.size === 0)
})

const ENDS = [
  ['the gateway', (entrance: Entrance) => entrance.listens.endAll()],
  ['its version of the tool', (entrance: Entrance) => entrance.listens.endTool('fake')],
] as const

for (const [what, end] of ENDS) {
  test(`a listen that ends with ${what} says so, and its call is given up`, async (t) => {
    const entrance = await openModern(t)
    const open = listensFor(entrance)
    const stream = await listen(entrance, 'l')
    await stream.waitFor('the acknowledgement', () => true)
    end(entrance)
    await stream.closed
    assert.deepEqual(messageIn(stream.events.at(-1) as never), {
      jsonrpc: '2.0',
      id: 'l',
      result: { resultType: 'complete', _meta: { [META.subscriptionId]: 'l' } },
    })
    assert.equal(stream.events.length, 2)
    assert.ok(open[0]?.signal.aborted)
    await until('the listen to be over', () => entrance.listens.size === 0)
  })
}

test('the listens of another tool go on', async (t) => {
  const entrance = await openModern(t)
  listensFor(entrance)
  await listen(entrance)
  entrance.listens.endTool('another')
  assert.equal(entrance.listens.size, 1)
})

test('there are as many listens of a tool as there may be', async (t) => {
  const entrance = await openModern(t)
  listensFor(entrance)
  const [first] = [await listen(entrance, 1), await listen(entrance, 2)]
  const refused = await modern(entrance.url, 'subscriptions/listen', FILTER, { id: 3 })
  assert.equal(refused.status, 503)
  assert.equal(refused.headers['retry-after'], '5')
  assert.equal(refused.json().id, 3)
  assert.match(errorOf(refused.json()).message, /sessions\.perTool \(2\)/)
  first.abort()
  await until('room', () => entrance.listens.size === 1)
  assert.equal((await listen(entrance, 4)).status, 200)
})

test('there are as many listens as there may be in all', async (t) => {
  const { listens } = await openModern(t)
  for (const tool of ['a', 'b', 'c']) listens.add({ tool, end() {} })
  assert.throws(() => listens.add({ tool: 'd', end() {} }), { code: 'unavailable' })
})

test('a listen is refused with a status where nothing was said yet', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('subscriptions/listen', (_link, { request }) => ({
    answer: errorMessage(request.id ?? 0, -32601, 'Unknown method'),
  }))
  const unknown = await modern(entrance.url, 'subscriptions/listen', FILTER)
  assert.equal(unknown.status, 404)
  entrance.turns.set('subscriptions/listen', () => {
    throw new ToolgateError('unavailable', 'Not now.')
  })
  assert.equal((await modern(entrance.url, 'subscriptions/listen', FILTER)).status, 503)
  assert.equal(entrance.listens.size, 0)
})

test('a listen that its tool ends at once is a stream all the same', async (t) => {
  const entrance = await openModern(t)
  entrance.turns.set('subscriptions/listen', (_link, { request }) => ({
    answer: resultMessage(request.id ?? 0, { resultType: 'complete' }),
  }))
  const reply = await modern(entrance.url, 'subscriptions/listen', FILTER)
  assert.equal(reply.headers['content-type'], 'text/event-stream')
  assert.equal(reply.events.length, 1)
  assert.equal(entrance.listens.size, 0)
})
