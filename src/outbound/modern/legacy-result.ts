import { withEdited } from '../../protocol/edited.ts'
import { isRawNumber } from '../../protocol/exact-json.ts'
import { legacyOutputSchema } from '../../protocol/legacy-schema.ts'
import type { Id, JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'

/**
 * A complete result as legacy clients know it, under the client's id. Throws `tool_misbehaved`
 * where it cannot be written again.
 *
 * @param method of the request
 */
export function legacyResult(answer: Message, id: Id, method: string | undefined): Message {
  return withEdited(answer, id, (result) => legacy(result, method))
}

function legacy(result: unknown, method: string | undefined): unknown {
  if (!isObject(result)) return result
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...own } = result
  if (method === 'tools/call') wrapContent(own)
  if (method === 'tools/list' && Array.isArray(own.tools)) own.tools = own.tools.map(legacyTool)
  return own
}

/** Legacy structured content is an object. */
function wrapContent(result: JsonObject): void {
  const { structuredContent: content } = result
  if (content === undefined || (isObject(content) && !isRawNumber(content))) return
  result.structuredContent = { result: content }
}

function legacyTool(tool: unknown): unknown {
  if (!isObject(tool) || !isObject(tool.outputSchema)) return tool
  return { ...tool, outputSchema: legacyOutputSchema(tool.outputSchema) }
}
