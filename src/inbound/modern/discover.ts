import type { CallTrace } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import type { Catalogue, Learned, LearnState } from '../../catalogue/catalogue.ts'
import type { Config } from '../../config/config.ts'
import { toToolgateError } from '../../errors.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import { isObject } from '../../protocol/object.ts'
import { resultMessage } from '../../protocol/read.ts'
import { MODERN_VERSIONS } from '../../protocol/versions.ts'
import { EVENTS } from '../../telemetry/names.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { mayBeShared } from './cache-scope.ts'

export interface DiscoverParts {
  readonly config: Config
  readonly catalogue: Catalogue
  readonly telemetry: Telemetry
}

export interface Asked {
  readonly request: Message
  readonly trace: CallTrace
}

/**
 * Answers `server/discover` from what is known of the tool; no process is asked, but one that was
 * never seen is waited for. Rejects as `Catalogue.learn` does.
 */
export async function discover(
  parts: DiscoverParts,
  link: Pick<Link, 'tool' | 'caller'>,
  asked: Asked,
): Promise<Message> {
  const since = performance.now()
  let outcome = 'ok'
  try {
    const learned = await parts.catalogue.learn(link.tool)
    const result = discovered(learned, mayBeShared(parts.config, link.tool))
    return resultMessage(asked.request.id ?? 0, result)
  } catch (thrown) {
    outcome = toToolgateError(thrown).code
    throw thrown
  } finally {
    record(parts.telemetry, link, asked, outcome, performance.now() - since)
  }
}

/** What a client learns of a tool; `shared`: caches may give it to every caller. */
export function discovered({ era, initialize }: Learned, shared: boolean): JsonObject {
  if (era === 'legacy') return fromInitialize(initialize)
  const { cacheScope } = initialize
  return {
    resultType: 'complete',
    capabilities: {},
    ttlMs: 0,
    ...initialize,
    supportedVersions: MODERN_VERSIONS,
    cacheScope: cacheScope === 'public' && shared ? 'public' : 'private',
  }
}

function fromInitialize({ capabilities, instructions, serverInfo }: JsonObject): JsonObject {
  // Tasks were part of the protocol itself until 2025-11-25; no modern client knows those.
  const { tasks: _tasks, ...known } = isObject(capabilities) ? capabilities : {}
  return {
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: known,
    ...(typeof instructions === 'string' && { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    ...(isObject(serverInfo) && { _meta: { [META.serverInfo]: serverInfo } }),
  }
}

/** The `_meta` of a result that is made here in the name of a tool. */
export function aboutServer(state: LearnState | undefined): JsonObject {
  if (state?.state !== 'learned') return {}
  const { _meta: meta } = discovered(state.learned, false)
  const about = isObject(meta) ? meta[META.serverInfo] : undefined
  return about === undefined ? {} : { _meta: { [META.serverInfo]: about } }
}

/** It is a request as any other, though the waist never sees it. */
function record(
  { meters, log }: Telemetry,
  { tool, caller }: Pick<Link, 'tool' | 'caller'>,
  { request, trace }: Asked,
  outcome: string,
  duration: number,
): void {
  meters.call(tool.name, trace.entrance, outcome, duration)
  log.info(
    {
      requestId: trace.requestId,
      traceId: trace.traceparent?.split('-')[1],
      tool: tool.name,
      caller: caller.id,
      entrance: trace.entrance,
      method: request.method,
      outcome,
      duration: Math.round(duration * 100) / 100,
    },
    EVENTS.call,
  )
}
