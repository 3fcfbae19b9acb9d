import type { Isolated } from '../targets/isolated.ts'
import type { Target, TargetName } from '../targets/targets.ts'
import type { Figure } from './stats.ts'

/** What one measurement found: figures of each target, and what was to be reached. */
export interface Findings {
  readonly rows: readonly Row[]
  readonly goals: readonly Goal[]
  /** What this machine cannot do, and why. */
  readonly skipped?: readonly string[]
}

export interface Row {
  readonly what: string
  readonly unit: string
  readonly figures: Partial<Record<TargetName, Figure | null>>
}

export interface Goal {
  readonly what: string
  /** How the value was made, such as `Toolgate / (b)`. */
  readonly of: string
  /** Null: it could not be measured here. */
  readonly value: Figure | null
  /** At most this, for the median. */
  readonly limit: number
  readonly unit: string
  /** A breach means wrong answers, not slow ones: the bench fails. */
  readonly correctness?: true
}

/** A measurement: what it needs is started and ended by itself. */
export type Measure = (bench: Bench) => Promise<Findings>

export interface Bench {
  readonly targets: readonly Target[]
  /** The gateway for modern clients. */
  readonly modern: readonly Target[]
  /** Starts the gateway over one tool in every way in which it can be isolated. */
  isolated(): Promise<Isolated>
  /** Short rounds, for development: figures are rough. */
  readonly quick: boolean
  /** Tells what goes on. */
  say(words: string): void
}

export function targetNamed(bench: Bench, name: TargetName): Target | undefined {
  return bench.targets.find((target) => target.name === name)
}
