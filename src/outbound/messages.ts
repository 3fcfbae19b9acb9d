import type { Call } from '../call/call.ts'
import { ToolgateError } from '../errors.ts'
import type { Id, JsonObject, Message } from '../protocol/message.ts'
import type { Serving } from './connection.ts'

/** `params._meta.progressToken` of a request. */
export function progressTokenOf(request: Message): Id | undefined {
  const params = request.json().params as JsonObject | undefined
  const token = (params?._meta as JsonObject | undefined)?.progressToken
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}

export function cancelledParams(message: Message): { requestId?: unknown; reason?: unknown } {
  return (message.json().params as JsonObject | undefined) ?? {}
}

/** One id means one call at a time. */
export function idInUse(id: Id): ToolgateError {
  const message = `The id ${JSON.stringify(id)} is in use by a call that is not answered yet.`
  return new ToolgateError('conflict', message)
}

export function cancelledByClient(): ToolgateError {
  return new ToolgateError('cancelled', 'The client cancelled the call.')
}

/** The tool's functions, prompts or resources changed. */
export function isListChanged({ method }: Message): boolean {
  return (
    method === 'notifications/tools/list_changed' ||
    method === 'notifications/prompts/list_changed' ||
    method === 'notifications/resources/list_changed'
  )
}

/** Whose a line of stderr is, as far as one can tell: at most eight open requests, or the last. */
export function servingOf(open: Iterable<Call>, last: string | undefined): Serving | undefined {
  const requestIds: string[] = []
  for (const { trace } of open) {
    if (requestIds.push(trace.requestId) === 8) break
  }
  if (requestIds.length > 1) return { requestIds }
  const requestId = requestIds[0] ?? last
  return requestId === undefined ? undefined : { requestId }
}
