import { setTimeout as wait } from 'node:timers/promises'
import { RESUME } from '../targets/gateway.ts'
import type { Measure } from './measure.ts'
import { targetNamed } from './measure.ts'
import { descendantsOf } from './proc.ts'
import { openStand } from './stand.ts'
import { figureOf } from './stats.ts'

const CLIENTS = 50
/** For ending what is due: the sweep, then stdin closed, TERM and KILL in turn. */
const GRACE = 5_000

/** 50 clients with open streams, half of them amid a call, are killed; their processes must end. */
export const leak: Measure = async (bench) => {
  const target = targetNamed(bench, 'toolgate')
  if (target === undefined) return { rows: [], goals: [] }
  const stand = await openStand(target)
  try {
    const pid = stand.pid as number
    await stand.load.tell('open', { sessions: CLIENTS, listen: true })
    await stand.load.tell('hang', { sessions: CLIENTS / 2 })
    await wait(500)
    const open = descendantsOf(pid)?.length ?? null
    await stand.load.vanish()
    const gone = performance.now()
    let left = open
    while (left !== 0 && performance.now() - gone < RESUME * 1000 + GRACE) {
      await wait(50)
      left = descendantsOf(pid)?.length ?? null
    }
    const taken = left === 0 ? (performance.now() - gone) / 1000 : null
    for (const child of left ? (descendantsOf(pid) ?? []) : [])
      bench.say(`  left: ${child.command}`)
    const row = (what: string, unit: string, value: number | null) => ({
      what,
      unit,
      figures: { toolgate: figureOf([value]) },
    })
    return {
      rows: [
        row(`processes with ${CLIENTS} sessions`, '', open),
        row(`processes left after ${CLIENTS} clients vanished`, '', left),
        row(`time until they were gone (sessions.resume: ${RESUME} s)`, 's', taken),
      ],
      goals: [
        {
          what: 'processes for each open session',
          of: 'Toolgate',
          value: figureOf([open === null ? null : open / CLIENTS]),
          limit: 1,
          unit: '',
        },
        {
          what: `processes left after ${CLIENTS} clients vanished`,
          of: 'Toolgate',
          value: figureOf([left]),
          limit: 0,
          unit: '',
          correctness: true,
        },
      ],
    }
  } finally {
    await stand.end()
  }
}
