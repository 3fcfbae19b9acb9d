import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { withoutTasks } from '../../protocol/tasks.ts'
import { isLegacyVersion, LATEST_LEGACY } from '../../protocol/versions.ts'
import type { DiscoverResult } from './discover.ts'

/**
 * What a legacy client is answered to `initialize`: the modern tool as a server of the version
 * that the client wants.
 *
 * @param name what the tool is called where it does not say so itself
 */
export function legacyServer(
  discovered: DiscoverResult,
  initialize: Message,
  name: string,
): JsonObject {
  const { params } = initialize.json()
  const wanted = isObject(params) ? params.protocolVersion : undefined
  const { capabilities, instructions, _meta: meta } = discovered
  return {
    protocolVersion: isLegacyVersion(wanted) ? wanted : LATEST_LEGACY,
    capabilities: withoutTasks(capabilities),
    serverInfo: serverInfo(meta, name),
    ...(typeof instructions === 'string' && { instructions }),
  }
}

function serverInfo(meta: unknown, name: string): JsonObject {
  const said = isObject(meta) ? meta[META.serverInfo] : undefined
  return { name, version: 'unknown', ...(isObject(said) && said) }
}
