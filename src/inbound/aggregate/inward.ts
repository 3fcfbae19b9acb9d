import { ToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { exactParams, withParams } from '../modern/with-params.ts'
import { withRelatedTask } from '../tasks/ids.ts'
import type { Directory, Found } from './directory.ts'
import { splitId } from './uris.ts'

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
  switch (request.method) {
    case 'tools/call':
      return target(request, directory.named('functions', params.name), 'name')
    case 'prompts/get':
      return target(request, directory.named('prompts', params.name), 'name')
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return target(request, directory.located(params.uri), 'uri')
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
    case 'tasks/result':
      return target(request, directory.task(params.taskId), 'taskId')
    case 'completion/complete':
      return completionTarget(directory, request, params.ref)
  }
  return unknownTarget(directory, request)
}

/** A method of an extension is for the tool that its params refer to, where they do. */
function unknownTarget(directory: Directory, request: Message): Target | undefined {
  const { taskId, uri, name } = paramsOf(request)
  try {
    if (taskId !== undefined) return target(request, directory.task(taskId), 'taskId')
    if (uri !== undefined) return target(request, directory.located(uri), 'uri')
    if (name !== undefined) return target(request, directory.named('functions', name), 'name')
  } catch {
    // It may mean anything else.
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

function target(request: Message, { tool, own }: Found, field: string): Target {
  const { _meta: meta } = withOwnTask(exactParams(request), tool.name)
  return {
    tool,
    request: withParams(request, { ...(isObject(meta) && { _meta: meta }), [field]: own }),
  }
}

/** What a client says of the task that its message is about, as the task's tool knows it. */
export function withOwnTask(object: JsonObject, tool: string): JsonObject {
  const find = (name: string) => (name === tool ? name : undefined)
  return withRelatedTask(object, (id) => splitId(id, find)?.own ?? id)
}

export function paramsOf(message: Message): JsonObject {
  const { params } = message.json()
  return isObject(params) ? params : {}
}
