import type { Policy } from '../../../src/tool/declaration.ts'
import { NOTHING } from '../../../src/tool/nothing.ts'

/** A policy that gives nothing but this. */
export function policyOf(given: Partial<Policy>): Policy {
  return { ...NOTHING, ...given }
}
