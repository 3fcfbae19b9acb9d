import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MARK } from '../harness/fixtures.ts'
import { memoryOf } from '../harness/processes.ts'
import { openSession } from '../harness/session.ts'
import { allKnown, CELLED, noChaos, openHouse, type Resident } from './house.ts'
import { settled } from './settled.ts'

const SESSIONS = 500
/** Milliseconds for which a session without a connection is kept. */
const RESUME = 2_000
/** Milliseconds for the ends of all; 4.6 s to 6.6 s were measured on two cores that had other work. */
const ENDS = 12_000
const SCRIPT = fileURLToPath(new URL('../fixtures/answers-in-shell.sh', import.meta.url))
const light = {
  command: ['/bin/sh', SCRIPT, MARK],
  policy: CELLED,
  era: 'legacy',
  // However long it takes to open them all.
  timeout: '5m',
}

test(`${SESSIONS} sessions in cells are dropped without goodbye: all is as it was before`, {
  skip: noChaos,
}, async (t) => {
  const house = openHouse(t, { tools: { light } })
  const gateway = await house.start({ sessions: { resume: `${RESUME}ms`, perTool: SESSIONS } })
  await allKnown(gateway, house.tools)
  await (await openSession(`${gateway.url}/mcp/light`)).end()
  const before = await settled(gateway, { kept: {} })
  const memory = memoryOf(gateway.pid)

  const begun = performance.now()
  const drops = await openAll(gateway)
  const opened = performance.now()
  assert.equal((await gateway.remains()).processes.length, 3 * SESSIONS)
  const most = memoryOf(gateway.pid)
  for (const drop of drops) drop()
  const dropped = performance.now()
  await settled(gateway, { kept: {}, before, within: RESUME + ENDS })
  const gone = performance.now()
  const after = memoryOf(gateway.pid)
  // What V8 keeps of it for the next ones is no more than they took.
  const grown = Math.max(most, after) - memory
  assert.ok(grown < SESSIONS * EACH, `${grown} bytes for ${SESSIONS} sessions`)
  const took = [opened - begun, gone - dropped - RESUME].map(Math.round)
  t.diagnostic(`opened in ${took[0]} ms, gone ${took[1]} ms after they could be resumed`)
  const megabytes = [memory, most, after].map((bytes) => Math.round(bytes / 2 ** 20))
  t.diagnostic(`memory of the gateway before, at most and after: ${megabytes.join(', ')} MB`)
})

/**
 * Most bytes of the gateway's memory for a session with its process and two connections: half as
 * much again as the most of four runs, 0.35 MB.
 */
const EACH = 0.52 * 2 ** 20

/** Opens them a few at a time; what it gives breaks their connections. */
async function openAll(gateway: Resident): Promise<(() => void)[]> {
  const drops: (() => void)[] = []
  let left = SESSIONS
  const open = async () => {
    while (left > 0) {
      left -= 1
      const busy = left % 2 === 0
      const session = await openSession(`${gateway.url}/mcp/light`)
      const stream = await session.listen()
      drops.push(stream.abort)
      if (!busy) continue
      // Nobody answers it; its headers come after a while.
      const call = session.stream('tools/call', { name: 'hang', arguments: {} }, 1)
      drops.push(() => void call.then(({ abort }) => abort()))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, open))
  return drops
}

const AT_ONCE = 8
