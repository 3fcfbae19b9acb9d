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
export const EXPECTED_MISSES: readonly Miss[] = [
  {
    tool: 'legacy',
    on: '2026-07-28',
    scenario: 'input-required-result-basic-elicitation',
    cause:
      'It wants the question under the key "user_name". A legacy process asks by a request of its ' +
      'own, which has no key: the gateway mints one.',
  },
]
