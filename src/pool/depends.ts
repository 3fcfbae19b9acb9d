import type { Declaration } from '../tool/declaration.ts'

/** What a process of the tool may touch depends on who calls, so it is started for one of them. */
export function dependsOnCaller({ policy }: Declaration): boolean {
  return policy.workspace.per !== 'tool'
}
