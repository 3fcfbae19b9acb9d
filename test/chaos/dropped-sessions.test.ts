import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MARK } from '../harness/fixtures.ts'
import { memoryOf } from '../harness/processes.ts'
import { openSession } from '../harness/session.ts'
import { allKnown, CELLED, noChaos, openHouse, type Resident } from './house.ts'
import { settled } from './settled.ts'

const SESSIONS = 500
const SCRIPT = fileURLToPath(new URL('../fixtures/answers-in-shell.sh', import.meta.url))
const light = { command: ['/bin/sh', SCRIPT, MARK], policy: CELLED, era: 'legacy' }

test(`${SESSIONS} sessions in cells are dropped without goodbye: all is as it was before`, {
  skip: noChaos,
}, async (t) => {
  const house = openHouse(t, { tools: { light } })
  const gateway = await house.start({ sessions: { resume: '2s', perTool: SESSIONS } })
  await allKnown(gateway, house.tools)
  await (await openSession(`${gateway.url}/mcp/light`)).end()
  const before = await settled(gateway, { kept: 0 })
  const memory = memoryOf(gateway.pid)

  const begun = performance.now()
  const drops = await openAll(gateway)
  const opened = performance.now()
  assert.equal((await gateway.remains()).processes.length, 3 * SESSIONS)
  const most = memoryOf(gateway.pid)
  for (const drop of drops) drop()
  const dropped = performance.now()
  await settled(gateway, { kept: 0, before, within: 15_000 })
  const gone = performance.now()
  const [before_, most_, after] = [memory, most, memoryOf(gateway.pid)].map((bytes) =>
    Math.round(bytes / 2 ** 20),
  )
  t.diagnostic(
    `opened in ${Math.round(opened - begun)} ms, gone ${Math.round(gone - dropped)} ms after they were dropped; ` +
      `memory of the gateway: ${before_} MB before, ${most_} MB at most, ${after} MB after`,
  )
})

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
