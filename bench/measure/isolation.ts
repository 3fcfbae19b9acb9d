import { setTimeout as wait } from 'node:timers/promises'
import { Load } from '../load/load.ts'
import type { Isolated, Way } from '../targets/isolated.ts'
import type { Bench, Goal, Measure, Row } from './measure.ts'
import { targetNamed } from './measure.ts'
import { descendantsOf, isAlive } from './proc.ts'
import { untilQuiet } from './quiet.ts'
import { takeTurns } from './stand.ts'
import { type Figure, figureOf } from './stats.ts'

/**
 * A session on server-everything, from its first byte to the answer to its first `tools/list`, with
 * and without a cell or container, cold and from a spare. Each begins when nothing else goes on: a
 * spare is there, has loaded all that it needs, and waits.
 */
export const isolation: Measure = async (bench) => {
  if (targetNamed(bench, 'toolgate') === undefined) return { rows: [], goals: [] }
  const isolated = await bench.isolated()
  const loads = new Map([...isolated.aims].map(([way, aim]) => [way, new Load(aim)]))
  try {
    const times = await timesOf(isolated, loads, bench)
    const faults = await faultsOf(loads, bench)
    await Promise.all([...loads.values()].map((load) => load.vanish()))
    const left = await leftOf(isolated, bench)
    return {
      rows: [...rowsOf(times), row('wrong, foreign and lost messages, isolation', '', faults)],
      goals: [...goalsOf(times), ...correctnessOf(faults, left)],
      skipped: isolated.absent,
    }
  } finally {
    await Promise.all([...loads.values()].map((load) => load.vanish()))
    await isolated.end()
  }
}

/** Milliseconds by way, in rounds. */
type Times = ReadonlyMap<Way, readonly number[]>

async function timesOf(
  isolated: Isolated,
  loads: ReadonlyMap<Way, Load>,
  { quick, say }: Bench,
): Promise<Times> {
  const times = new Map<Way, number[]>([...loads.keys()].map((way) => [way, []]))
  const setUp = async (load: Load) => {
    const [taken = Number.NaN] = await load.tell('setUp', { times: 1 })
    return taken
  }
  const rounds = quick ? 2 : 15
  // The first ones fill caches, make the gateway load what it needs, and their client known.
  for (let visit = 0; visit < 2; visit += 1) for (const load of loads.values()) await setUp(load)
  await takeTurns([...loads], rounds, async ([way, load]) => {
    if (!(await untilQuiet(isolated))) say(`  ${way}: not quiet before it`)
    times.get(way)?.push(await setUp(load))
  })
  for (const [way, each] of times) say(`  ${way}: ${each.map((ms) => ms.toFixed(1)).join(' ')}`)
  return times
}

async function faultsOf(loads: ReadonlyMap<Way, Load>, { say }: Bench): Promise<Figure | null> {
  let sum = 0
  for (const [way, load] of loads) {
    const { wrong, foreign, lost, words } = await load.tell('faults', {})
    for (const word of words) say(`  ${way}: ${word}`)
    sum += wrong + foreign + lost
  }
  return figureOf([sum])
}

/** Processes and containers that are left when the gateway has been told to end; null: unknown. */
async function leftOf(isolated: Isolated, { say }: Bench): Promise<Figure | null> {
  const { server, engine } = isolated
  const below = descendantsOf(server.pid)
  if (below === null) return null
  const [self] = (descendantsOf(process.pid) ?? []).filter(({ pid }) => pid === server.pid)
  process.kill(server.pid, 'SIGTERM')
  for (const until = performance.now() + 15_000; performance.now() < until; await wait(20)) {
    if (self === undefined || !isAlive(self)) break
  }
  const processes = below.filter(isAlive)
  for (const { command } of processes) say(`  left: ${command}`)
  return figureOf([processes.length + ((await engine?.containers()) ?? 0)])
}

function rowsOf(times: Times): Row[] {
  const of = (way: Way) => figureOf(times.get(way) ?? [])
  const what = (how: string) => `session set-up, server-everything, ${how}`
  const cold = row(what('without a cell, cold'), 'ms', of('bare'))
  const spare = row(what('without a cell, from a spare'), 'ms', of('bare-warm'))
  return [
    { ...cold, figures: { pipes: of('hand'), ...cold.figures } },
    row(what('in a cell, cold'), 'ms', of('celled')),
    row(what('in a container, cold'), 'ms', of('container')),
    { ...spare, figures: { pipes: of('hand-warm'), ...spare.figures } },
    row(what('in a cell, from a spare'), 'ms', of('celled-warm')),
    row(what('in a cell, from an initialized spare'), 'ms', of('celled-initialized')),
    row(what('in a container, from a spare'), 'ms', of('container-warm')),
    row('what a cell costs a cold session', 'ms', pairs(times, 'celled', 'bare', minus)),
    {
      what: 'without a cell, spare / cold',
      unit: '×',
      figures: {
        pipes: pairs(times, 'hand-warm', 'hand', over),
        toolgate: pairs(times, 'bare-warm', 'bare', over),
      },
    },
    row('in a container, spare / cold', '×', pairs(times, 'container-warm', 'container', over)),
  ]
}

function goalsOf(times: Times): Goal[] {
  return [
    {
      what: 'a session in a cell from a spare (aim: 0.067)',
      of: 'spare / cold',
      value: pairs(times, 'celled-warm', 'celled', over),
      limit: 0.1,
      unit: '×',
    },
    {
      what: 'a session in a cell from an initialized spare',
      of: 'spare / cold',
      value: pairs(times, 'celled-initialized', 'celled', over),
      limit: 0.067,
      unit: '×',
    },
    {
      what: 'a cold session in a cell, beyond spawning by hand',
      of: 'Toolgate − 1.10 × (a)',
      value: pairs(times, 'celled', 'hand', (celled, hand) => celled - 1.1 * hand),
      limit: 15,
      unit: 'ms',
    },
    {
      what: 'a session in a container from a spare',
      of: 'container / cell',
      value: pairs(times, 'container-warm', 'celled-warm', over),
      limit: 1.5,
      unit: '×',
    },
  ]
}

function correctnessOf(faults: Figure | null, left: Figure | null): Goal[] {
  const none = { of: 'Toolgate', limit: 0, unit: '', correctness: true } as const
  return [
    { what: 'wrong, foreign and lost messages, isolation', value: faults, ...none },
    { what: 'processes and containers left by isolation', value: left, ...none },
  ]
}

/** Each time with the one of the same round, so that what slowed a round slowed both. */
function pairs(
  times: Times,
  way: Way,
  base: Way,
  make: (time: number, other: number) => number,
): Figure | null {
  const others = times.get(base) ?? []
  const made = (times.get(way) ?? []).map((time, at) => {
    const other = others[at]
    return other === undefined ? null : make(time, other)
  })
  return figureOf(made)
}

const minus = (time: number, other: number) => time - other
const over = (time: number, other: number) => time / other

function row(what: string, unit: string, figure: Figure | null): Row {
  return { what, unit, figures: { toolgate: figure } }
}
