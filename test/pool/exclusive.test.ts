import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Declaration } from '../../src/tool/declaration.ts'
import { isAlive } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import { ASKABLE, callFunction, callOf, linkOf, openPool, toolOf } from './given.ts'

const counts = toolOf('counts-calls')
const askable = { capabilities: ASKABLE }

test('two calls at once of a caller who can be asked have two processes, one after the other one', async (t) => {
  const given = await openPool(t)
  const call = (args: object = {}) =>
    callFunction(given, linkOf(counts, 'ann', askable), 'count', args)
  const [one, other] = await Promise.all([call({ wait: 300 }), call({ wait: 300 })])
  assert.notEqual(one?.pid, other?.pid)
  const later = await call()
  assert.ok([one?.pid, other?.pid].includes(later.pid))
  assert.equal((await call()).pid, later.pid)
  assert.equal(given.starts(), 2)
})

test('what was used last is used next, and what nobody needs is stopped', async (t) => {
  const given = await openPool(t)
  const tool = toolOf('counts-calls', { idle: 600 })
  const call = (args: object = {}) =>
    callFunction(given, linkOf(tool, 'ann', askable), 'count', args)
  const [quick, slow] = await Promise.all([call(), call({ wait: 400 })])
  const end = performance.now() + 3000
  await until('the other to be stopped', async () => {
    assert.equal((await call()).pid, slow?.pid)
    return !isAlive(Number(quick?.pid)) || performance.now() > end
  })
  assert.ok(!isAlive(Number(quick?.pid)))
  assert.equal(given.starts(), 2)
})

test('callers, and what they can be asked, are kept apart', async (t) => {
  const given = await openPool(t)
  const links = [
    linkOf(counts, 'ann', askable),
    linkOf(counts, 'bob', askable),
    linkOf(counts, 'ann', { capabilities: { roots: {} } }),
    linkOf(counts, 'ann', { ...askable, logLevel: 'info' }),
    linkOf(counts, 'ann'),
  ]
  const pids = []
  for (const link of links) pids.push((await callFunction(given, link, 'count')).pid)
  assert.equal(new Set(pids).size, links.length)
  const swapped = { capabilities: { sampling: {}, elicitation: {} } }
  assert.equal(
    (await callFunction(given, linkOf(counts, 'ann', swapped), 'count')).pid,
    pids[0],
    'the order of keys means nothing',
  )
})

test('a caller who can be asked nothing has one process for all calls at once', async (t) => {
  const given = await openPool(t)
  const calls = [1, 2, 3].map(() =>
    callFunction(given, linkOf(counts, 'ann'), 'count', { wait: 100 }),
  )
  const pids = (await Promise.all(calls)).map(({ pid }) => pid)
  assert.equal(new Set(pids).size, 1)
  assert.equal(given.starts(), 1)
})

test('an anonymous request has a process to itself, and leaves none', async (t) => {
  const given = await openPool(t)
  const pids: unknown[] = []
  for (let count = 0; count < 2; count++)
    pids.push((await callFunction(given, linkOf(counts, null), 'count')).pid)
  assert.notEqual(pids[0], pids[1])
  await until('both to be gone', () => given.pool.count(counts.name) === 0)
})

test('a listen keeps no process from serving calls, and keeps one from being stopped', async (t) => {
  const given = await openPool(t)
  const tool = toolOf('counts-calls', { idle: 200 })
  const listening = linkOf(tool, 'ann', askable)
  const lease = await given.pool.lease(listening)
  lease.begin(callOf(listening, 'subscriptions/listen', { notifications: {} }))
  await lease.connection()
  const call = () => callFunction(given, linkOf(tool, 'ann', askable), 'count')
  const { pid } = await call()
  assert.equal((await call()).pid, pid)
  assert.equal(given.starts(), 1)
  await new Promise((later) => setTimeout(later, 500))
  assert.equal((await call()).pid, pid)
  lease.end()
  lease.release('it left')
  await until('it to be stopped', () => !isAlive(Number(pid)))
})

test('what its client abandons is ended at once, and nothing else of that caller', async (t) => {
  const given = await openPool(t)
  const link = linkOf(counts, 'ann', askable)
  const lease = await given.pool.lease(link)
  const call = callOf(link, 'tools/call', { name: 'count', arguments: { wait: 60_000 } })
  lease.begin(call)
  const connection = await lease.connection()
  const called = assert.rejects(connection.call(call))
  const other = await callFunction(given, linkOf(counts, 'ann', askable), 'count')
  assert.equal(given.pool.count(counts.name), 2)
  lease.abandon(connection, 'its client did not answer')
  await called
  lease.end()
  lease.release('given up')
  await until('it to be gone', () => given.pool.count(counts.name) === 1)
  assert.ok(isAlive(Number(other.pid)))
})

test('at the cap a process that its caller does not use makes room, never that of another', async (t) => {
  const given = await openPool(t, { perTool: 2 })
  const anns = await callFunction(given, linkOf(counts, 'ann', askable), 'count')
  const bobs = await callFunction(given, linkOf(counts, 'bob', askable), 'count')
  await callFunction(given, linkOf(counts, 'ann'), 'count')
  await until('her other to be gone', () => !isAlive(Number(anns.pid)))
  assert.ok(isAlive(Number(bobs.pid)))
  await assert.rejects(callFunction(given, linkOf(counts, 'cat'), 'count'), /perTool/)
  assert.ok(isAlive(Number(bobs.pid)))
})

test('a version that is retired ends what is free, and lets what is open finish', async (t) => {
  const given = await openPool(t)
  const call = (args: object = {}) =>
    callFunction(given, linkOf(counts, 'ann', askable), 'count', args)
  const [free, busy] = [call(), call({ wait: 1500 })]
  const { pid } = await free
  given.pool.retire(counts)
  await until('the free one to end', () => !isAlive(Number(pid)))
  const answered = await busy
  assert.notEqual(answered.pid, pid)
  await until('the other to end', () => given.pool.count(counts.name) === 0)
})

test('what keeps failing is started ever more slowly, for each caller', async (t) => {
  const given = await openPool(t)
  const broken = toolOf('exits-at-start')
  const attempt = (caller: string) =>
    callFunction(given, linkOf(broken, caller, askable), 'count').then(
      () => 'answered',
      ({ code }) => code as string,
    )
  const outcomes = []
  for (let count = 0; count < 5; count++) outcomes.push(await attempt('ann'))
  assert.deepEqual(outcomes.slice(0, 2), ['tool_failed_to_start', 'tool_failed_to_start'])
  assert.deepEqual(new Set(outcomes.slice(2)), new Set(['unavailable']))
  assert.equal(await attempt('bob'), 'tool_failed_to_start')
})

test('a listen hears the news of all its processes, those before it and those after', async (t) => {
  const given = await openPool(t)
  const tool = toolOf('announces')
  const hold = async () => {
    const link = linkOf(tool, 'ann', askable)
    const lease = await given.pool.lease(link)
    lease.begin(callOf(link, 'tools/call'))
    const connection = await lease.connection()
    return {
      announce: () => connection.call(callOf(link, 'tools/call', { name: 'announce' })),
      free() {
        lease.end()
        lease.release('answered')
      },
    }
  }
  const before = [await hold(), await hold()]
  const heard: string[] = []
  const link = linkOf(tool, 'ann', askable)
  const lease = await given.pool.lease(link)
  const filter = { resourcesListChanged: true, resourceSubscriptions: ['it://one'] }
  const listen = {
    ...callOf(link, 'subscriptions/listen', { notifications: filter }),
    notify: ({ method }: { method?: string }) => void heard.push(String(method)),
  }
  lease.begin(listen)
  const connection = await lease.connection()
  const listening = connection.call(listen)
  await until('it to be acknowledged', () => heard.length === 1)
  const holders = [...before, await hold()]
  assert.equal(given.starts(), 3)
  for (const [index, { announce }] of holders.entries()) {
    await announce()
    await until('its news', () => heard.length === 1 + 2 * (index + 1))
  }
  assert.deepEqual(
    new Set(heard.slice(1)),
    new Set(['notifications/resources/list_changed', 'notifications/resources/updated']),
  )
  for (const each of holders) each.free()
  connection.cancel(listen, new Error('it left'))
  await assert.rejects(listening, /it left/)
  lease.end()
  lease.release('it left')
})

test('what may hang is given no call until it is trusted again, and is ended when it is not', async (t) => {
  const given = await openPool(t)
  const call = () => callFunction(given, linkOf(counts, 'ann', askable), 'count')
  const { pid } = await call()
  const doubt = async () => {
    const link = linkOf(counts, 'ann', askable)
    const lease = await given.pool.lease(link)
    lease.begin(callOf(link, 'tools/call'))
    const connection = await lease.connection()
    lease.doubt(connection)
    lease.end()
    lease.release('out of time')
    return { lease, connection }
  }
  const first = await doubt()
  const { pid: another } = await call()
  assert.notEqual(another, pid)
  first.lease.trust(first.connection)
  const second = await doubt()
  second.lease.condemn(second.connection, 'it answered nothing')
  await until('it to be gone', () => !isAlive(Number(another)))
  assert.equal((await call()).pid, pid)
  assert.equal(given.starts(), 2)
})

test('what goes on with a call that was given up is given no other, and is ended', async (t) => {
  const given = await openPool(t)
  const leave = async (tool: Declaration, args: object) => {
    const link = linkOf(tool, 'ann', askable)
    const lease = await given.pool.lease(link)
    const call = callOf(link, 'tools/call', args)
    lease.begin(call)
    const connection = await lease.connection()
    const called = assert.rejects(connection.call(call), /it left/)
    connection.cancel(call, new Error('it left'))
    await called
    lease.end()
    lease.release('it left')
    return connection
  }
  const { pid } = await callFunction(given, linkOf(counts, 'ann', askable), 'count')
  await leave(counts, { name: 'count', arguments: { wait: 60_000 } })
  const other = await callFunction(given, linkOf(counts, 'ann', askable), 'count')
  assert.notEqual(other.pid, pid)
  await until('it to be ended', () => !isAlive(Number(pid)))

  const answers = toolOf('answers-cancel')
  const pidOf = () => callFunction(given, linkOf(answers, 'ann', askable), 'pid')
  const before = await pidOf()
  const connection = await leave(answers, { name: 'wait' })
  assert.ok(await connection.alive(2000), 'it says that after it has answered the call')
  assert.equal(await pidOf(), before)
  assert.equal(given.pool.count(answers.name), 1)
})

test('a start that found no place is no failure of the tool, and delays no other', async (t) => {
  const given = await openPool(t, { perTool: 1 })
  const busy = callFunction(given, linkOf(counts, 'ann', askable), 'count', { wait: 800 })
  const logging = { ...askable, logLevel: 'info' }
  const attempt = () => callFunction(given, linkOf(counts, 'ann', logging), 'count')
  await until('it to run', () => given.pool.count(counts.name) === 1)
  for (let count = 0; count < 6; count++) await assert.rejects(attempt(), /perTool/)
  await busy
  await attempt()
})
