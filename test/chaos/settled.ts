import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Gauges, grown, readGauges } from './gauges.ts'
import type { Resident } from './house.ts'
import { KINDS, type Remains } from './remains.ts'

/** What there is of a gateway that nobody uses. */
export interface Rest {
  readonly remains: Remains
  readonly gauges: Gauges
}

export interface SettledOptions {
  /** How many instances of each tool it keeps ready: in containers those of `boxed`, else in cells. */
  readonly kept: Readonly<Record<string, number>>
  /** There may be no more of anything than there was then. */
  readonly before?: Rest
  /** Milliseconds. */
  readonly within?: number
}

/** Waits until nobody uses a gateway and it has what it keeps ready, no more; else fails with what it has. */
export async function settled(
  gateway: Resident,
  { kept, before, within = 20_000 }: SettledOptions,
): Promise<Rest> {
  const end = performance.now() + within
  const named = Object.entries(kept).map(([tool, count]) => [`${INSTANCES}{tool="${tool}"}`, count])
  const wanted: Gauges = Object.fromEntries(named)
  for (;;) {
    const gauges = await readGauges(gateway)
    const remains = await gateway.remains()
    const instances = Object.entries(gauges).filter(([name]) => name.startsWith(INSTANCES))
    const used = sum(gauges, /sessions_active|in_flight|listens_active|connections_active/)
    const more = KINDS.filter(
      (kind) => remains[kind].length > (before?.remains ?? remains)[kind].length,
    )
    const grew = grown(before?.gauges ?? gauges, gauges)
    const ready =
      isDeepStrictEqual(Object.fromEntries(instances), wanted) &&
      remains.processes.length === processesOf(kept)
    if (ready && used + more.length + Object.keys(grew).length === 0) return { remains, gauges }
    if (performance.now() > end) {
      const found = JSON.stringify({ more, grew, gauges, remains }, null, 2)
      throw new Error(`Not within ${within} ms: a gateway that nobody uses\n${found}`)
    }
    await pause(100)
  }
}

const INSTANCES = 'mcp_gateway_instances'
/** Bubblewrap, the first one inside, and the program. */
const IN_A_CELL = 3
/** The first one inside, and the program. */
const IN_A_CONTAINER = 2

function processesOf(kept: SettledOptions['kept']): number {
  const each = Object.entries(kept).map(
    ([tool, count]) => count * (tool === 'boxed' ? IN_A_CONTAINER : IN_A_CELL),
  )
  return each.reduce((total, count) => total + count, 0)
}

function sum(gauges: Gauges, name: RegExp): number {
  const values = Object.entries(gauges).filter(([each]) => name.test(each))
  return values.reduce((total, [, value]) => total + value, 0)
}
