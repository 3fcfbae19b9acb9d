import { ComposedMessage, compose } from './composed-message.ts'
import type { Id, JsonObject, Message } from './message.ts'

export function requestMessage(id: Id, method: string, params?: JsonObject): Message {
  return compose({ kind: 'request', id, method }, { method, params })
}

export function notificationMessage(method: string, params?: JsonObject): Message {
  return compose({ kind: 'notification', method }, { method, params })
}

/** A result that is undefined becomes `{}`. */
export function resultMessage(id: Id, result: unknown): Message {
  const front = `,"result":${JSON.stringify(result) ?? '{}'}`
  return new ComposedMessage({ kind: 'result', id, front })
}

/** `id` is null where the request's own could not be read. */
export function errorMessage(
  id: Id | null,
  code: number,
  message: string,
  data?: unknown,
): Message {
  const front = `,"error":${JSON.stringify({ code, message, data })}`
  return new ComposedMessage({ kind: 'error', front, ...(id !== null && { id }) })
}
