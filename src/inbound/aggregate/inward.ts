import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { withParams } from '../modern/with-params.ts'
import type { Directory, Found } from './directory.ts'

/** A client's request on `/mcp`, and the one tool that it is for. */
export interface Target {
  readonly tool: Declaration
  /** The request as that tool understands it. */
  readonly request: Message
}

/**
 * Finds the tool that a request is for, by the name, URI, reference or task in it; undefined for a
 * method that is for none. Throws `unknown_function`, `invalid_params`, `not_learned`,
 * `tool_failed_to_start`.
 */
export function findTarget(directory: Directory, request: Message): Target | undefined {
  const params = paramsOf(request)
  const to = ({ tool, own }: Found, field: string): Target => ({
    tool,
    request: withParams(request, { [field]: own }),
  })
  switch (request.method) {
    case 'tools/call':
      return to(directory.named('functions', params.name), 'name')
    case 'prompts/get':
      return to(directory.named('prompts', params.name), 'name')
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return to(directory.located(params.uri), 'uri')
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
    case 'tasks/result':
      return to(directory.task(params.taskId), 'taskId')
    case 'completion/complete':
      return completionTarget(directory, request, params.ref)
  }
  return undefined
}

function completionTarget(directory: Directory, request: Message, ref: unknown): Target {
  if (!isObject(ref) || (ref.type !== 'ref/prompt' && ref.type !== 'ref/resource')) {
    const message = '"ref" must be a "ref/prompt" with a name or a "ref/resource" with a URI.'
    throw new ToolgateError('invalid_params', message)
  }
  const prompt = ref.type === 'ref/prompt'
  const { tool, own } = prompt ? directory.named('prompts', ref.name) : directory.located(ref.uri)
  return { tool, request: withParams(request, { ref: { ...ref, [prompt ? 'name' : 'uri']: own } }) }
}

export function paramsOf(message: Message): JsonObject {
  const { params } = message.json()
  return isObject(params) ? params : {}
}
