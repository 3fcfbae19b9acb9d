import { withEdited, withParams } from '../../protocol/edited.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { withRelatedTask, withTaskId } from './ids.ts'

type Give = (id: string) => string

/** A tool's answer with the ids that its caller is given for the tasks in it. */
export function answerGiven(answer: Message, method: string | undefined, give: Give): Message {
  if (answer.kind !== 'result' || !mentions(answer, method === 'initialize' ? LIST : ID)) {
    return answer
  }
  return withEdited(answer, answer.id ?? 0, (result) => {
    if (!isObject(result)) return result
    if (method === 'initialize') return withoutList(result)
    return resultGiven(result, method ?? '', give)
  })
}

/** The same of what is said on its way. */
export function noticeGiven(message: Message, give: Give): Message {
  if (!mentions(message, message.method === ACKNOWLEDGED ? IDS : ID)) return message
  return withParams(message, (params) => {
    if (message.method === ACKNOWLEDGED) return { ...params, ...filterGiven(params, give) }
    const isTask = message.method?.startsWith('notifications/tasks') === true
    return isTask ? taskGiven(params, give) : withRelatedTask(params, give)
  })
}

function resultGiven(result: JsonObject, method: string, give: Give): JsonObject {
  const { task } = result
  const given = isObject(task) ? { ...result, task: withTaskId(task, give) } : result
  const isTask = method.startsWith('tasks/') || result.resultType === 'task'
  return isTask ? taskGiven(given, give) : withRelatedTask(given, give)
}

/** A task, and the result that it has come to. */
function taskGiven(task: JsonObject, give: Give): JsonObject {
  const { result } = task
  const given = withTaskId(withRelatedTask(task, give), give)
  return isObject(result) ? { ...given, result: withRelatedTask(result, give) } : given
}

function filterGiven({ notifications }: JsonObject, give: Give): JsonObject | undefined {
  if (!isObject(notifications) || !Array.isArray(notifications.taskIds)) return undefined
  const ids: unknown[] = notifications.taskIds
  const taskIds = ids.map((id) => (typeof id === 'string' ? give(id) : id))
  return { notifications: { ...notifications, taskIds } }
}

/** Legacy capabilities without the list of tasks, which would be of those of all callers. */
function withoutList(result: JsonObject): JsonObject {
  const { capabilities } = result
  if (!isObject(capabilities) || !isObject(capabilities.tasks)) return result
  const { list: _list, ...tasks } = capabilities.tasks
  return { ...result, capabilities: { ...capabilities, tasks } }
}

function mentions({ bytes }: Message, text: Buffer): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text)
}

const ID = Buffer.from('"taskId"')
const IDS = Buffer.from('"taskIds"')
const LIST = Buffer.from('"tasks"')
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
