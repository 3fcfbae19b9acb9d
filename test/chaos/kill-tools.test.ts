import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { noEngine, startEngine } from '../harness/engine.ts'
import { messageIn, openSession } from '../harness/session.ts'
import { callRest } from '../harness/tool-view.ts'
import { until } from '../harness/until.ts'
import { allAnswer, keptIn, noChaos, openHouse, type Resident, TOOLS } from './house.ts'
import { startLoad } from './load.ts'
import { settled } from './settled.ts'
import { type Victim, victimsOf } from './victims.ts'

const KILLS = 60
const ROLES = [
  ...['celled', 'pool', 'own', 'out', 'inline', 'leaves-celled'].flatMap((tool) => [
    `${tool} bubblewrap`,
    `${tool} first in its cell`,
    `${tool} program`,
  ]),
  ...['leaves-bare leader', 'leaves-bare grandchild', 'leaves-celled grandchild', 'of a spare'],
]
/** By their ids on the host, as an administrator or its kernel kills them. */
const IN_CONTAINERS = ['boxed first in its container', 'boxed program']

/** `tool_gone`, `tool_failed_to_start`, `unavailable` in a moment, `unknown_session`. */
const ALLOWED = /: (?:ok|-32010|-32012|-32014|-32001|502|503)$/

test('kill -9 tools under load: their calls are answered, the others go on, and nothing is left', {
  skip: noChaos,
}, async (t) => {
  const engine = noEngine ? undefined : await startEngine(t)
  const house = openHouse(t, { engine })
  const kept = keptIn(house)
  const roles = engine ? [...ROLES, ...IN_CONTAINERS] : ROLES
  const gateway = await house.start({ sessions: { resume: '2s', idle: '4s' } })
  await allAnswer(gateway, house.tools)
  const before = await settled(gateway, { kept })
  const killed = new Map<string, number>()
  // None is left soon once there is load: these are killed first.
  const spares = victimsOf(gateway).filter(({ what }) => what.endsWith('of a spare'))
  assert.equal(spares.length, engine ? 8 : 6)
  const celled = spares.filter(({ what }) => what.startsWith('celled'))
  const boxed = spares.find(({ what }) => what.startsWith('boxed program'))
  for (const spare of [...celled.slice(0, 4), ...(boxed ? [boxed] : [])]) kill(spare, killed)
  const loads = [await startLoad(t, gateway.url, Object.keys(TOOLS))]
  if (engine) {
    for (const what of IN_CONTAINERS) await killBoxed(gateway, what)
    loads.push(await startLoad(t, gateway.url, ['boxed']))
  }
  for (let kills = 0; kills < KILLS; kills += 1) {
    killOne(victimsOf(gateway), killed)
    await pause(30)
  }
  // What was killed while it started gets its chance to be there, and is killed then.
  const due = () => roles.filter((role) => ![...killed.keys()].some((each) => each.includes(role)))
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
  const all = await Promise.all(loads.map((load) => load.counts()))
  const counts = Object.assign({}, ...all)
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

/** Of two sessions in containers: the call of the one fails at once, the other keeps its process. */
async function killBoxed(gateway: Resident, what: string): Promise<void> {
  const endpoint = `${gateway.url}/mcp/boxed`
  const doomed = await openSession(endpoint)
  const call = { name: 'count', arguments: { wait: 60_000 } }
  const inFlight = await doomed.stream('tools/call', call, 1)
  // One that has just ended, or is not told a spare yet, is there a moment longer.
  const victim = await until(`${what} to be found`, () => {
    const [first, ...more] = victimsOf(gateway).filter((each) => each.what === what)
    return more.length === 0 ? first : undefined
  })
  const other = await openSession(endpoint)
  // Keeps it when starting has taken long.
  await other.listen()
  assert.equal(JSON.parse(await other.callText('count')).calls, 1)
  process.kill(victim.pid, 'SIGKILL')
  const failed = await inFlight.waitFor('the call to fail', ({ data }) => data !== '')
  assert.deepEqual(messageIn(failed).error, {
    code: -32010,
    message: 'The tool is gone: it was ended by SIGKILL.',
  })
  assert.equal(JSON.parse(await other.callText('count')).calls, 2)
  await other.end()
}

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
