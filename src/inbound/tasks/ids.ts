import type { JsonObject } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'

type Write = (id: string) => string

/** A task, or params that name one, with another id. */
export function withTaskId(object: JsonObject, write: Write): JsonObject {
  const { taskId } = object
  return typeof taskId === 'string' ? { ...object, taskId: write(taskId) } : object
}

/** An object whose `_meta` says which task it is about, with another id of that. */
export function withRelatedTask(object: JsonObject, write: Write): JsonObject {
  const related = relatedTo(object)
  if (related === undefined) return object
  const meta = object._meta as JsonObject
  return { ...object, _meta: { ...meta, [RELATED]: withTaskId(related, write) } }
}

/** What an object says of the task that it is about. */
export function relatedTo({ _meta: meta }: JsonObject): JsonObject | undefined {
  const related = isObject(meta) ? meta[RELATED] : undefined
  return isObject(related) ? related : undefined
}

const RELATED = 'io.modelcontextprotocol/related-task'
