import type { Id, JsonObject, Message } from '../protocol/message.ts'

/** `params._meta.progressToken` of a request. */
export function progressTokenOf(request: Message): Id | undefined {
  const params = request.json().params as JsonObject | undefined
  const token = (params?._meta as JsonObject | undefined)?.progressToken
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}

export function cancelledParams(message: Message): { requestId?: unknown; reason?: unknown } {
  return (message.json().params as JsonObject | undefined) ?? {}
}

/** The tool's functions, prompts or resources changed. */
export function isListChanged({ method }: Message): boolean {
  return (
    method === 'notifications/tools/list_changed' ||
    method === 'notifications/prompts/list_changed' ||
    method === 'notifications/resources/list_changed'
  )
}
