import type { Capabilities } from '../../call/link.ts'
import type { Era, JsonObject, Message } from '../../protocol/message.ts'
import { CALL_ID } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { withId, withMeta } from '../../protocol/read.ts'
import { withoutTasks } from '../../protocol/tasks.ts'
import { withInput } from '../with-input.ts'
import type { SharedHow } from './how.ts'

/**
 * A client's request under our id and, where it asks for progress, our token: the same number.
 * What a modern client says of itself, and to a modern tool only, is taken away.
 */
export function legacyRequest(
  request: Message,
  era: Era,
  id: number,
  progress: boolean,
): Uint8Array {
  const token = progress ? { progressToken: id } : undefined
  if (era === 'modern')
    return withMeta(withId(withInput(request), id), without(request, token)).bytes
  const own = withId(request, id)
  return (token === undefined ? own : withMeta(own, token)).bytes
}

/** Entries that take away what stands in a request's `_meta` under the protocol's own prefix. */
function without(request: Message, others: JsonObject | undefined): JsonObject {
  const { params } = request.json()
  const meta = isObject(params) ? params._meta : undefined
  const entries: JsonObject = {}
  for (const key in isObject(meta) ? meta : undefined) {
    if (key.startsWith(PREFIX)) entries[key] = undefined
  }
  return Object.assign(entries, others)
}

const PREFIX = 'io.modelcontextprotocol/'

/** Clients' capabilities as they are offered to a legacy tool, which is one of many clients' own. */
export function offered({ capabilities, correlated }: SharedHow): Capabilities {
  // Nobody tells the tool that roots have changed, and nobody runs a task for it.
  const { roots, experimental, ...others } = withoutTasks(capabilities)
  const marks = correlated && { [CALL_ID]: {} }
  return {
    ...others,
    ...(isObject(roots) && { roots: {} }),
    ...((marks || isObject(experimental)) && {
      experimental: { ...(isObject(experimental) && experimental), ...marks },
    }),
  }
}
