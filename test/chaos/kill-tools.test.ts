import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { callRest } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'
import { allAnswer, noChaos, openHouse } from './house.ts'
import { startLoad } from './load.ts'
import { settled } from './settled.ts'
import { type Victim, victimsOf } from './victims.ts'

/** The spares of `celled`, and the least of `pool`. */
const kept = { celled: 2, pool: 1 }
const KILLS = 60
const ROLES = [
  ...['celled', 'pool', 'own', 'out', 'inline', 'leaves-celled'].flatMap((tool) => [
    `${tool} bubblewrap`,
    `${tool} first in its cell`,
    `${tool} program`,
  ]),
  ...['leaves-bare leader', 'leaves-bare grandchild', 'leaves-celled grandchild', 'of a spare'],
]

/** `tool_gone`, `tool_failed_to_start`, `unavailable` in a moment, `unknown_session`. */
const ALLOWED = /: (?:ok|-32010|-32012|-32014|-32001|502|503)$/

test('kill -9 tools under load: their calls are answered, the others go on, and nothing is left', {
  skip: noChaos,
}, async (t) => {
  const house = openHouse(t)
  const gateway = await house.start({ sessions: { resume: '2s', idle: '4s' } })
  await allAnswer(gateway, house.tools)
  const before = await settled(gateway, { kept })
  const killed = new Map<string, number>()
  // None is left soon once there is load: these are killed first.
  const spares = victimsOf(gateway).filter(({ what }) => what.endsWith('of a spare'))
  assert.equal(spares.length, 6)
  for (const spare of spares.slice(0, 4)) kill(spare, killed)
  const load = await startLoad(t, gateway.url, house.tools)
  for (let kills = 0; kills < KILLS; kills += 1) {
    killOne(victimsOf(gateway), killed)
    await pause(30)
  }
  // What was killed while it started gets its chance to be there, and is killed then.
  const due = () => ROLES.filter((role) => ![...killed.keys()].some((each) => each.includes(role)))
  const isDue = ({ what }: Victim) => due().some((role) => what.includes(role))
  await until(
    'all kinds to be killed',
    () => {
      killOne(victimsOf(gateway).filter(isDue), killed)
      return due().length === 0
    },
    30_000,
  ).catch(({ message }: Error) => assert.fail(`${message}: ${due()}`))
  t.diagnostic(JSON.stringify(Object.fromEntries(killed)))
  const counts = await load.counts()
  assert.deepEqual(
    Object.keys(counts).filter((each) => !ALLOWED.test(each)),
    [],
  )
  await settled(gateway, { kept, before })
  await until('no tool to rest after its failures', async () => {
    const replies = house.tools.map((tool) => callRest(gateway, tool, 'count'))
    return (await Promise.all(replies)).every(({ status }) => status !== 503)
  })
  await allAnswer(gateway, house.tools)
})

/** One of a kind that was killed least so far, so that each has its turn. */
function killOne(victims: readonly Victim[], killed: Map<string, number>): void {
  const times = ({ what }: { what: string }) => killed.get(what) ?? 0
  const [victim] = victims.toSorted((a, b) => times(a) - times(b))
  if (victim !== undefined) kill(victim, killed)
}

function kill({ pid, what }: Victim, killed: Map<string, number>): void {
  killed.set(what, (killed.get(what) ?? 0) + 1)
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with another one.
  }
}
