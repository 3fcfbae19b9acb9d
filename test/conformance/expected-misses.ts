import type { Mode } from './direct.ts'
import type { Revision } from './run.ts'

/** A scenario that fails through the gateway, and why nobody between can help it. */
export interface Miss {
  readonly tool: Mode
  readonly on: Revision
  readonly scenario: string
  readonly cause: string
  /** Warnings that go with it, as `scenario: check`. */
  readonly warnings?: readonly string[]
}

/** In the suite's order. One that passes by now fails the test, so that none goes stale. */
export const EXPECTED_MISSES: readonly Miss[] = []
