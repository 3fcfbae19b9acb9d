import type { Call } from '../../call/call.ts'
import type { Capabilities } from '../../call/link.ts'
import { compose } from '../../protocol/composed-message.ts'
import { exactly } from '../../protocol/exactly.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { withMeta } from '../../protocol/read.ts'
import { LATEST_MODERN } from '../../protocol/versions.ts'
import { withoutTasks } from './tasks.ts'

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

/**
 * The same request with what its client answered, and the state the tool gave along. What the
 * client itself wrote there is taken away: its era knows neither.
 */
export function withInput(request: Message, responses?: unknown, state?: string): Message {
  const { params } = request.json()
  const given = isObject(params) && ('inputResponses' in params || 'requestState' in params)
  if (!given && responses === undefined && state === undefined) return request
  const { kind, method = '' } = request
  const written = exactly(request)
  const own = { ...(written.params as JsonObject | undefined) }
  delete own.inputResponses
  delete own.requestState
  if (responses !== undefined) own.inputResponses = responses
  if (state !== undefined) own.requestState = state
  return compose({ kind, method }, { ...written, params: own })
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
