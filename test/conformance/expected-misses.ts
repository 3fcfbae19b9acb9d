import type { Mode } from './direct.ts'
import type { Revision } from './run.ts'

/** A scenario that misses something through the gateway, and why nobody between can help it. */
export interface Miss {
  readonly tool: Mode
  readonly on: Revision
  readonly scenario: string
  /** `fail`: it fails; otherwise the check that warns, of a scenario that passes. */
  readonly what: string
  readonly cause: string
}

/** In the suite's order. What passes by now fails the test, so that none goes stale. */
export const EXPECTED_MISSES: readonly Miss[] = [
  {
    tool: 'legacy',
    on: '2026-07-28',
    scenario: 'input-required-result-basic-elicitation',
    what: 'fail',
    cause:
      'It wants the question under the key "user_name". A legacy process asks by a request of its ' +
      'own, which has no key: the gateway mints one.',
  },
  {
    tool: 'legacy',
    on: '2026-07-28',
    scenario: 'input-required-result-ignore-extra-params',
    what: 'sep-2322-ignore-unexpected-params',
    cause:
      'It sends an answer that nobody asked for, under the key "user_name", and wants it to be ' +
      'taken. A legacy process can only be answered what it has asked.',
  },
]

/** Names of the scenarios that may fail. */
export function expectedToFail(tool: Mode, on: Revision): string[] {
  return missesOf(tool, on)
    .filter(({ what }) => what === 'fail')
    .map(({ scenario }) => scenario)
}

/** `scenario: check` of what may warn. */
export function expectedToWarn(tool: Mode, on: Revision): string[] {
  return missesOf(tool, on)
    .filter(({ what }) => what !== 'fail')
    .map(({ scenario, what }) => `${scenario}: ${what}`)
}

function missesOf(tool: Mode, on: Revision): readonly Miss[] {
  return EXPECTED_MISSES.filter((miss) => miss.tool === tool && miss.on === on)
}
