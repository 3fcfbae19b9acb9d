import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import { isObject } from '../../protocol/object.ts'
import { TASKS } from '../../protocol/tasks.ts'

/** Throws `missing_capability` where a modern client did not declare the tasks extension. */
export function needTasks(link: Link): void {
  if (link.era === 'legacy' || declaresTasks(link)) return
  throw new ToolgateError('missing_capability', `The client did not declare ${TASKS}.`, {
    data: { requiredCapabilities: { extensions: { [TASKS]: {} } } },
  })
}

export function declaresTasks({ capabilities: { extensions } }: Link): boolean {
  return isObject(extensions) && isObject(extensions[TASKS])
}
