import { Load } from '../load/load.ts'
import type { Faults } from '../load/loop.ts'
import type { Server } from '../targets/server.ts'
import type { Target, TargetName, ToolName } from '../targets/targets.ts'
import type { Goal, Row } from './measure.ts'
import { type Figure, figureOf } from './stats.ts'

/** A started target with its load process. */
export interface Stand {
  readonly name: TargetName
  readonly load: Load
  readonly server: Server | null
  readonly pid: number | null
  end(): Promise<void>
}

export async function openStand(target: Target, tool: ToolName = 'bench'): Promise<Stand> {
  const { aim, server } = await target.start(tool)
  const load = new Load(aim)
  const end = async () => {
    await load.vanish()
    await server?.end()
  }
  return { name: target.name, load, server, pid: server?.pid ?? null, end }
}

/** Starts every target, does the work, and ends them whatever happens. */
export async function withStands<T>(
  targets: readonly Target[],
  work: (stands: readonly Stand[]) => Promise<T>,
): Promise<T> {
  const stands: Stand[] = []
  try {
    for (const target of targets) stands.push(await openStand(target))
    return await work(stands)
  } finally {
    await Promise.all(stands.map((stand) => stand.end()))
  }
}

/** A, B, C, then B, C, A, and so on: nobody is always first after a pause. */
export async function takeTurns<T>(
  all: readonly T[],
  rounds: number,
  turn: (each: T) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const first = round % all.length
    for (const each of [...all.slice(first), ...all.slice(0, first)]) await turn(each)
  }
}

/** Collects values by target, and makes a row of them. */
export class Samples {
  readonly #values = new Map<TargetName, (number | null)[]>()

  add(name: TargetName, ...values: (number | null)[]): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), ...values])
  }

  of(name: TargetName): Figure | null {
    return figureOf(this.#values.get(name) ?? [])
  }

  /**
   * Values of `name` in terms of those of `base`, which may be other samples: each with the one
   * of the same round, so that what slowed a round slowed both.
   */
  ratio(name: TargetName, base: TargetName, bases: Samples = this): Figure | null {
    const below = bases.#values.get(base) ?? []
    const ratios = (this.#values.get(name) ?? []).map((value, at) => {
      const other = below[at]
      return value === null || other === null || other === undefined ? null : value / other
    })
    return figureOf(ratios)
  }

  rowOfRatios(what: string, base: TargetName): Row {
    const figures = [...this.#values.keys()].map((name) => [name, this.ratio(name, base)])
    return { what, unit: '×', figures: Object.fromEntries(figures) }
  }

  row(what: string, unit: string): Row {
    const figures = [...this.#values].map(([name, values]) => [name, figureOf(values)])
    return { what, unit, figures: Object.fromEntries(figures) }
  }
}

/** Faults that the load processes saw, and the goal that the gateway made none. */
export async function correctnessOf(
  stands: readonly Stand[],
  where: string,
  say: (words: string) => void,
  judged: TargetName = 'toolgate',
): Promise<{ row: Row; goal: Goal }> {
  const faults = new Samples()
  for (const { name, load } of stands) {
    const { wrong, foreign, lost, words }: Faults = await load.tell('faults', {})
    for (const word of words) say(`  ${name}: ${word}`)
    faults.add(name, wrong + foreign + lost)
  }
  const what = `wrong, foreign and lost messages, ${where}`
  const row = faults.row(what, '')
  const value = faults.of(judged)
  return { row, goal: { what, of: 'Toolgate', value, limit: 0, unit: '', correctness: true } }
}
