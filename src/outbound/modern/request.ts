import type { Call } from '../../call/call.ts'
import type { Capabilities } from '../../call/link.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { withMeta } from '../../protocol/read.ts'
import { withoutTasks } from '../../protocol/tasks.ts'
import { LATEST_MODERN } from '../../protocol/versions.ts'
import { withInput } from '../with-input.ts'

/**
 * A legacy client's request as a modern one: it says of itself what its session knows.
 *
 * @param clientInfo for a client that did not say who it is
 * @param level the least severe log level; undefined: no logs
 */
export function modernRequest(
  { request, link }: Call,
  clientInfo: JsonObject,
  level: string | undefined,
): Message {
  return withMeta(withInput(request), {
    [META.protocolVersion]: LATEST_MODERN,
    [META.clientInfo]: link.clientInfo ?? clientInfo,
    [META.clientCapabilities]: modernCapabilities(link.capabilities),
    [META.logLevel]: level,
  })
}

/** Legacy capabilities as the modern era writes them. */
function modernCapabilities(capabilities: Capabilities): JsonObject {
  const { roots, elicitation, ...others } = withoutTasks(capabilities)
  return {
    ...others,
    // The modern era has no roots/list_changed.
    ...(isObject(roots) && { roots: {} }),
    // Before there were modes there were forms.
    ...(isObject(elicitation) && {
      elicitation: Object.keys(elicitation).length === 0 ? { form: {} } : elicitation,
    }),
  }
}
