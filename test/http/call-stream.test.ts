import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import supertest from 'supertest'
import { ToolgateError } from '../../src/errors.ts'
import { notificationMessage } from '../../src/protocol/read.ts'
import { addTool, type House, openHouse, progress, result } from './house.ts'

let house: House
before(async () => {
  house = await openHouse()
  const names = ['count', 'fail', 'late', 'flood']
  addTool(
    house,
    'box',
    names.map((name) => ({ name, inputSchema: { type: 'object' } })),
  )
})
after(() => house.close())

const stream = (name: string) =>
  supertest(house.url).post(`/v1/tools/box/${name}`).set('Accept', 'text/event-stream').send({})

const events = (text: string) =>
  [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, name, data]) => [
    name,
    JSON.parse(data ?? ''),
  ])

test('Progress and logs come first, then exactly one result', async () => {
  house.behaviours.set('box/count', (call) => {
    call.notify(progress(call, 1, 'half'))
    call.notify(notificationMessage('notifications/message', { level: 'info', data: 'hm' }))
    return result(call, { content: [] })
  })
  const answer = await stream('count').expect(200)
  assert.equal(answer.type, 'text/event-stream')
  assert.equal(answer.get('X-Accel-Buffering'), 'no')
  assert.deepEqual(events(answer.text), [
    ['progress', { progress: 1, total: 3, message: 'half' }],
    ['log', { level: 'info', data: 'hm' }],
    ['result', { content: [] }],
  ])
})

test('The first event arrives while the call is still running', async () => {
  const go = Promise.withResolvers<void>()
  house.behaviours.set('box/count', async (call) => {
    call.notify(progress(call, 1))
    await go.promise
    return result(call, { content: [] })
  })
  const answer = await fetch(`${house.url}/v1/tools/box/count`, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
  })
  const reader = answer.body?.getReader()
  const first = await reader?.read()
  assert.match(Buffer.from(first?.value ?? []).toString(), /^event: progress\n/)
  go.resolve()
  const second = await reader?.read()
  assert.match(Buffer.from(second?.value ?? []).toString(), /^event: result\n/)
  assert.equal((await reader?.read())?.done, true)
})

test('What fails before the first event is an HTTP error', async () => {
  house.behaviours.set('box/fail', () => {
    throw new ToolgateError('timeout', 'It took over 1s.')
  })
  const answer = await stream('fail').expect(504)
  assert.equal(answer.type, 'application/problem+json')
})

test('What fails after it is exactly one error event', async () => {
  house.behaviours.set('box/late', (call) => {
    call.notify(progress(call, 1))
    throw new ToolgateError('tool_gone', 'It exited with code 3.')
  })
  const seen = events((await stream('late').expect(200)).text)
  assert.deepEqual(
    seen.map(([name]) => name),
    ['progress', 'error'],
  )
  assert.equal(seen[1]?.[1].status, 502)
  assert.equal(seen[1]?.[1].detail, 'It exited with code 3.')
})

test('A client that reads nothing loses progress, never the result', async () => {
  const entered = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  house.behaviours.set('box/flood', async (call) => {
    for (let count = 0; count < 20_000; count += 1)
      call.notify(progress(call, count, 'x'.repeat(1_000)))
    entered.resolve()
    await go.promise
    return result(call, { content: [{ type: 'text', text: 'the end' }] })
  })
  const answer = await fetch(`${house.url}/v1/tools/box/flood`, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
  })
  await entered.promise
  go.resolve()
  const seen = events(await answer.text())
  assert.ok(seen.length < 10_000, `${seen.length} events`)
  assert.deepEqual(seen.at(-1), ['result', { content: [{ type: 'text', text: 'the end' }] }])
})
