import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { exactParams, withParams } from '../modern/with-params.ts'
import { relatedTo, type TaskIds, withRelatedTask } from './ids.ts'
import { needTasks } from './need-tasks.ts'

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
export function requestTaken(request: Message, link: Link, ids: TaskIds): Message | undefined {
  const { method = '' } = request
  if (method.startsWith('tasks/')) return taskTaken(request, link, ids)
  const params = exactParams(request)
  const about = withRelatedTask(params, (id) => ids.take(id) ?? NONE)
  if (method !== LISTEN) return withParams(request, about)
  return withParams(request, { ...about, ...filterTaken(params, link, ids) })
}

function taskTaken(request: Message, link: Link, ids: TaskIds): Message | undefined {
  const { method = '' } = request
  const known = METHODS[link.era].has(method)
  if (known) needTasks(link)
  const params = exactParams(request)
  const own = typeof params.taskId === 'string' ? ids.take(params.taskId) : undefined
  if (own !== undefined) {
    const about = withRelatedTask(params, (id) => ids.take(id) ?? NONE)
    return withParams(request, { ...about, taskId: own })
  }
  if (!known) return undefined
  throw new ToolgateError('invalid_params', 'There is no such task of this caller.')
}

function filterTaken({ notifications }: JsonObject, link: Link, ids: TaskIds): JsonObject {
  if (!isObject(notifications)) return {}
  const { taskIds: given, ...others } = notifications
  if (given === undefined) return {}
  needTasks(link)
  const taskIds = (Array.isArray(given) ? given : []).flatMap((id: unknown) =>
    typeof id === 'string' ? (ids.take(id) ?? []) : [],
  )
  return { notifications: taskIds.length === 0 ? others : { ...others, taskIds } }
}

/** What there is for a task: the list of 2025-11-25 is of the tasks of all. */
const METHODS = {
  legacy: new Set(['tasks/get', 'tasks/result', 'tasks/cancel']),
  modern: new Set(['tasks/get', 'tasks/update', 'tasks/cancel']),
}

const LISTEN = 'subscriptions/listen'
/** No tool's id. */
const NONE = ''
