import { isObject } from '../protocol/object.ts'
import type { Declaration } from '../tool/declaration.ts'

/** What a process of the tool may touch depends on who calls, so it is started for one of them. */
export function dependsOnCaller({ policy }: Declaration): boolean {
  const workspace: unknown = policy.workspace
  return isObject(workspace) && (workspace.per === 'caller' || workspace.per === 'session')
}
