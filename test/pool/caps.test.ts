import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ToolgateError } from '../../src/errors.ts'
import { Caps, type CapsOptions, type Claim, type Full } from '../../src/pool/caps.ts'

/** Caps over processes that are names in sets, and everything that happened in its order. */
function given(options: Partial<CapsOptions> = {}) {
  const running = new Map<string, Set<string>>()
  const log: string[] = []
  const of = (tool: string) => running.get(tool) ?? new Set()
  const caps = new Caps({
    perTool: 2,
    instances: 10,
    queue: 5,
    wait: 10_000,
    running: (tool) =>
      tool === undefined
        ? [...running.values()].reduce((sum, { size }) => sum + size, 0)
        : of(tool).size,
    makeRoom: () => false,
    ...options,
  })
  const want = (name: string, more: Partial<Claim> = {}) => {
    const claim: Claim = {
      tool: 'tool',
      caller: name.slice(0, 3),
      priority: 'interactive',
      of: {},
      ...more,
    }
    return caps
      .within(claim, async () => {
        running.set(claim.tool, of(claim.tool).add(name))
        log.push(name)
      })
      .catch(({ code }) => void log.push(`${name}: ${code}`))
  }
  const end = async (name: string) => {
    for (const each of running.values()) each.delete(name)
    caps.look()
    await turn()
    await turn()
  }
  return { caps, want, end, log, running }
}

test('at the cap the next ones wait, and begin as places become free', async () => {
  const { want, end, log, caps } = given()
  for (const name of ['ann1', 'ann2', 'ann3', 'ann4']) void want(name)
  await turn()
  assert.deepEqual(log, ['ann1', 'ann2'])
  assert.deepEqual(caps.waiting(), [['tool', 2]])
  assert.equal(caps.hasRoom('tool'), false)
  await end('ann1')
  assert.deepEqual(log, ['ann1', 'ann2', 'ann3'])
  await end('ann2')
  assert.deepEqual(log, ['ann1', 'ann2', 'ann3', 'ann4'])
  assert.deepEqual(caps.waiting(), [])
})

test('more than may wait are refused with 429 and when to come again, those of other tools are not', async () => {
  const { caps, want } = given({ perTool: 1, queue: 1 })
  await want('ann1')
  void want('ann2')
  const claim = { tool: 'tool', caller: 'ann', priority: 'interactive', of: {} } as const
  await assert.rejects(
    caps.within(claim, async () => {}),
    (error: ToolgateError) => {
      assert.equal(error.code, 'queue_full')
      assert.equal(error.status, 429)
      assert.ok(Number(error.retryAfter) > 0)
      assert.match(error.message, /sessions\.perTool.*pool\.queue/)
      return true
    },
  )
  await want('other', { tool: 'other' })
})

test('who waits for too long is refused, and where nobody may wait, at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { want, log, caps } = given({ perTool: 1, wait: 700 })
  await want('ann1')
  const late = want('ann2')
  t.mock.timers.tick(700)
  await late
  assert.deepEqual(log, ['ann1', 'ann2: unavailable'])
  assert.deepEqual(caps.waiting(), [])
  const none = given({ perTool: 1, queue: 0 })
  await none.want('ann1')
  await none.want('ann2')
  assert.deepEqual(none.log, ['ann1', 'ann2: unavailable'])
})

test('a caller with many who wait does not starve one with one', async () => {
  const { want, end, log } = given({ perTool: 1, queue: 2000 })
  await want('ann0')
  for (let count = 1; count <= 1000; count += 1) void want(`ann${count}`)
  void want('bob1')
  await end('ann0')
  await end('ann1')
  assert.deepEqual(log, ['ann0', 'ann1', 'bob1'])
})

test('what somebody waits for begins before jobs', async () => {
  const { want, end, log } = given({ perTool: 1 })
  await want('ann0')
  void want('ann1', { priority: 'job' })
  void want('ann2', { priority: 'job' })
  void want('bob1')
  await end('ann0')
  await end('bob1')
  assert.deepEqual(log, ['ann0', 'bob1', 'ann1'])
})

test('who leaves waits no longer', async () => {
  const { want, end, log, caps } = given({ perTool: 1 })
  await want('ann1')
  const link = {}
  void want('ann2', { of: link })
  void want('ann3')
  caps.leave(link)
  await end('ann1')
  assert.deepEqual(log, ['ann1', 'ann2: tool_gone', 'ann3'])
})

test('who comes does not overtake those who wait', async () => {
  const { want, end, log, running } = given({ perTool: 1 })
  await want('ann1')
  void want('bob1')
  running.get('tool')?.clear()
  void want('cat1')
  await end('ann1')
  assert.deepEqual(log, ['ann1', 'bob1'])
})

test('one that can be served otherwise is, and takes no place', async () => {
  const { want, caps, log } = given({ perTool: 1 })
  await want('ann1')
  let free = false
  void want('ann2', { instead: () => free })
  await turn()
  await turn()
  assert.deepEqual(log, ['ann1'])
  free = true
  caps.look()
  await turn()
  await turn()
  assert.deepEqual(log, ['ann1', 'ann2: tool_gone'])
  assert.deepEqual(caps.waiting(), [])
})

test('all tools together have a cap of their own, and take turns under it', async () => {
  const { want, end, log } = given({ perTool: 5, instances: 2 })
  await want('ann1', { tool: 'one' })
  await want('ann2', { tool: 'one' })
  for (const name of ['ann3', 'ann4']) void want(name, { tool: 'one' })
  for (const name of ['bob1', 'bob2']) void want(name, { tool: 'two' })
  await end('ann1')
  await end('ann2')
  assert.deepEqual(new Set(log), new Set(['ann1', 'ann2', 'ann3', 'bob1']))
})

test('room is asked for the cap that is reached', async () => {
  const asked: Full[] = []
  const makeRoom = (_claim: Claim, full: Full) => asked.push(full) < 0
  const one = given({ perTool: 1, queue: 0, makeRoom })
  await one.want('ann1')
  await one.want('ann2')
  const all = given({ instances: 1, queue: 0, makeRoom })
  await all.want('ann1')
  await all.want('ann2')
  assert.deepEqual(asked, ['tool', 'all'])
})

test('nobody waits beyond the end', async () => {
  const { want, log, caps } = given({ perTool: 1 })
  await want('ann1')
  const waiting = want('ann2')
  caps.close(new ToolgateError('shutting_down', 'The gateway is shutting down.'))
  await waiting
  assert.deepEqual(log, ['ann1', 'ann2: shutting_down'])
})
