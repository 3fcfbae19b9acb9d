import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { exactParams, withParams } from '../modern/with-params.ts'
import { relatedTo, withRelatedTask } from './ids.ts'
import { needTasks } from './need-tasks.ts'

type Take = (given: string) => string | undefined

/** Whether there may be tasks in it that its caller was given. */
export function namesTask(request: Message): boolean {
  const { method = '' } = request
  if (method.startsWith('tasks/') || method === LISTEN) return true
  const { params } = request.json()
  return isObject(params) && relatedTo(params) !== undefined
}

/**
 * A client's request with the tool's ids of the tasks that it names: those that it was given.
 * Undefined for a method that this caller has no task for, nor its era. Throws `invalid_params`,
 * `missing_capability`.
 */
export function requestTaken(request: Message, link: Link, take: Take): Message | undefined {
  const { method = '' } = request
  if (method.startsWith('tasks/')) return taskTaken(request, link, take)
  const params = exactParams(request)
  const about = withRelatedTask(params, (id) => take(id) ?? NONE)
  return withParams(request, method === LISTEN ? { ...about, ...filterTaken(params, take) } : about)
}

function taskTaken(request: Message, link: Link, take: Take): Message | undefined {
  const { method = '' } = request
  const known = METHODS[link.era].has(method)
  if (known) needTasks(link)
  const params = exactParams(request)
  const own = typeof params.taskId === 'string' ? take(params.taskId) : undefined
  if (own !== undefined) {
    const about = withRelatedTask(params, (id) => take(id) ?? NONE)
    return withParams(request, { ...about, taskId: own })
  }
  if (!known) return undefined
  throw new ToolgateError('invalid_params', 'There is no such task of this caller.')
}

function filterTaken({ notifications }: JsonObject, take: Take): JsonObject | undefined {
  if (!isObject(notifications) || !Array.isArray(notifications.taskIds)) return undefined
  const ids: unknown[] = notifications.taskIds
  const taskIds = ids.flatMap((id) => (typeof id === 'string' ? (take(id) ?? []) : []))
  return { notifications: { ...notifications, taskIds } }
}

/** What there is for a task: the list of 2025-11-25 is of the tasks of all. */
const METHODS = {
  legacy: new Set(['tasks/get', 'tasks/result', 'tasks/cancel']),
  modern: new Set(['tasks/get', 'tasks/update', 'tasks/cancel']),
}

const LISTEN = 'subscriptions/listen'
/** No tool's id. */
const NONE = ''
