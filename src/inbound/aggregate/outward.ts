import { ToolgateError } from '../../errors.ts'
import { compose } from '../../protocol/composed-message.ts'
import { exactly } from '../../protocol/exactly.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import type { References } from './references.ts'

/**
 * A tool's answer to a request of this method as `/mcp` gives it: what refers to the tool's
 * resources, UIs and tasks carries its name. The same message where nothing does. Throws
 * `tool_misbehaved` for what cannot be written again.
 */
export function answerOutward(answer: Message, method: string, references: References): Message {
  if (!refers(answer)) return answer
  try {
    return rewritten(answer, method, references)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ToolgateError('tool_misbehaved', 'The answer is nested too deeply.', { cause })
  }
}

function rewritten(answer: Message, method: string, references: References): Message {
  const written = exactly(answer)
  const { result, error } = written
  if (isObject(result)) {
    return write(answer, { ...written, result: resultOf(result, method, references) })
  }
  if (!isObject(error) || !isObject(error.data)) return answer
  return write(answer, { ...written, error: { ...error, data: dataOf(error.data, references) } })
}

/** Which resource is not there, or which URLs have to be opened first. */
function dataOf(data: JsonObject, references: References): JsonObject {
  const { uri, elicitations } = data
  return {
    ...data,
    ...(typeof uri === 'string' && { uri: references.link(uri) }),
    ...(Array.isArray(elicitations) && {
      elicitations: elicitations.map((each) => elicitation(each, references)),
    }),
  }
}

function elicitation(params: unknown, references: References): unknown {
  if (!isObject(params) || typeof params.elicitationId !== 'string') return params
  return { ...params, elicitationId: references.id(params.elicitationId) }
}

/** The same of a notification or request of the tool's. */
export function saidOutward(message: Message, references: References): Message {
  const log = message.method === 'notifications/message'
  if (!log && !refers(message)) return message
  const written = exactly(message)
  if (!isObject(written.params)) return message
  return write(message, { ...written, params: paramsOf(message, written.params, references) })
}

function paramsOf({ method = '' }: Message, params: JsonObject, references: References): unknown {
  const marked = references.marked(params)
  const { uri, logger } = params
  if (method === 'notifications/message') {
    const { tool } = references
    return { ...marked, logger: typeof logger === 'string' ? `${tool}/${logger}` : tool }
  }
  if (method === 'notifications/resources/updated' && typeof uri === 'string') {
    return { ...marked, uri: references.uri(uri) }
  }
  if (ELICITATIONS.has(method)) return elicitation(marked, references)
  return method.startsWith('notifications/tasks') ? taskOf(marked, references) : marked
}

const ELICITATIONS = new Set(['elicitation/create', 'notifications/elicitation/complete'])

/**
 * Whether there may be anything to write anew: found in the bytes, so that a long answer is not
 * parsed for nothing. A key may be written with escapes; honest writers escape no ASCII letter.
 */
function refers({ bytes }: Message): boolean {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return SIGNS.some((sign) => line.includes(sign))
}

const SIGNS = ['"uri"', 'esourceUri"', 'outputTemplate"', '"taskId"', '"tasks"', 'elicitationId"']
  .concat(['2', '3', '4', '5', '6', '7'].map((digit) => `\\u00${digit}`))
  .map((sign) => Buffer.from(sign))

function write({ kind, id, method }: Message, written: JsonObject): Message {
  return compose(
    { kind, ...(id !== undefined && { id }), ...(method !== undefined && { method }) },
    written,
  )
}

function resultOf(result: JsonObject, method: string, references: References): JsonObject {
  const marked = { ...references.marked(result) }
  if (Array.isArray(result.content))
    marked.content = result.content.map((each) => block(each, references))
  if (Array.isArray(result.messages)) {
    marked.messages = result.messages.map((message) =>
      isObject(message) ? { ...message, content: blocks(message.content, references) } : message,
    )
  }
  if (Array.isArray(result.contents)) {
    marked.contents = result.contents.map((each) =>
      located(each, (uri) => references.uri(uri), references),
    )
  }
  if (Array.isArray(result.tasks) && method === 'tasks/list') {
    marked.tasks = result.tasks.map((task) => (isObject(task) ? taskOf(task, references) : task))
  }
  if (isObject(result.task)) marked.task = taskOf(result.task, references)
  const isTask = method.startsWith('tasks/') || result.resultType === 'task'
  return isTask ? taskOf(marked, references) : marked
}

/** A task with its id, and with its result, where it has come to one. */
function taskOf(task: JsonObject, references: References): JsonObject {
  const { taskId, result } = task
  return {
    ...task,
    ...(typeof taskId === 'string' && { taskId: references.id(taskId) }),
    ...(isObject(result) && { result: resultOf(result, 'tools/call', references) }),
  }
}

function blocks(content: unknown, references: References): unknown {
  return Array.isArray(content)
    ? content.map((each) => block(each, references))
    : block(content, references)
}

/** One block of content: a link to a resource, a resource itself, or what has none. */
function block(content: unknown, references: References): unknown {
  if (!isObject(content)) return content
  const link = (uri: string) => references.link(uri)
  if (content.type === 'resource_link') return located(content, link, references)
  const marked = references.marked(content)
  if (content.type !== 'resource') return marked
  return { ...marked, resource: located(content.resource, link, references) }
}

function located(
  object: unknown,
  rewrite: (uri: string) => string,
  references: References,
): unknown {
  if (!isObject(object)) return object
  const marked = references.marked(object)
  return typeof object.uri === 'string' ? { ...marked, uri: rewrite(object.uri) } : marked
}
