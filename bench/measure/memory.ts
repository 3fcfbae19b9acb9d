import { setTimeout as wait } from 'node:timers/promises'
import type { Server } from '../targets/server.ts'
import type { Target } from '../targets/targets.ts'
import type { Bench, Measure } from './measure.ts'
import { targetNamed } from './measure.ts'
import { descendantsOf, memoryOf } from './proc.ts'
import { openStand, Samples } from './stand.ts'

const SESSIONS = 50

/** Resident memory at rest, with 50 sessions whose streams are open, and after they were closed. */
export const memory: Measure = async (bench) => {
  const [rest, busy, after, each] = [new Samples(), new Samples(), new Samples(), new Samples()]
  const rounds = bench.quick ? 1 : 2
  const targets = (['node-http', 'toolgate', 'other'] as const).map((name) =>
    targetNamed(bench, name),
  )
  const known = targets.filter((target) => target !== undefined)
  for (const target of known) await fillCaches(target)
  for (let round = 0; round < rounds; round++) {
    for (const target of known) {
      const stand = await openStand(target)
      try {
        const server = stand.server as Server
        const atRest = await settled(server, bench)
        bench.say(`  ${target.name}: ${atRest?.toFixed(1)} MB at rest`)
        await stand.load.tell('open', { sessions: SESSIONS, listen: target.name !== 'node-http' })
        await wait(bench.quick ? 1_500 : 4_000)
        const open = memoryOf(server.pid)
        await stand.load.tell('close', {})
        const closed = await settled(server, bench)
        rest.add(target.name, atRest)
        busy.add(target.name, open)
        after.add(target.name, closed)
        each.add(target.name, open === null || atRest === null ? null : (open - atRest) / SESSIONS)
      } finally {
        await stand.end()
      }
    }
  }
  return {
    rows: [
      rest.row('memory at rest', 'MB'),
      busy.row(`memory with ${SESSIONS} sessions`, 'MB'),
      each.row(`memory for each of ${SESSIONS} open sessions`, 'MB'),
      after.row('memory after they were closed', 'MB'),
    ],
    goals: [
      {
        what: 'memory at rest',
        of: 'Toolgate / (c)',
        value: rest.ratio('toolgate', 'node-http'),
        limit: 2,
        unit: '×',
      },
      {
        what: `memory for each open session, ${SESSIONS} open`,
        of: 'Toolgate',
        value: each.of('toolgate'),
        limit: 0.2,
        unit: 'MB',
      },
    ],
  }
}

/** A gateway's first start learns its tools, and keeps the code for that in memory. */
async function fillCaches(target: Target): Promise<void> {
  const stand = await openStand(target)
  await stand.load.tell('open', { sessions: 1, listen: false })
  await stand.load.tell('close', {})
  await stand.end()
}

/** Memory of the server and whatever it still runs, once that is as little as it gets. */
async function settled({ pid }: Server, { quick }: Bench): Promise<number | null> {
  for (const until = performance.now() + 15_000; performance.now() < until; await wait(100)) {
    if ((descendantsOf(pid) ?? []).length === 0) break
  }
  await wait(quick ? 2_000 : 6_000)
  const below = descendantsOf(pid)
  const own = memoryOf(pid)
  if (below === null || own === null) return null
  return below.reduce((sum, child) => sum + (memoryOf(child.pid) ?? 0), own)
}
