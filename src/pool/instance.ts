import type { Connection, SharedConnection } from '../outbound/connection.ts'
import type { SharedHow } from '../outbound/legacy/how.ts'
import { LegacyConnection } from '../outbound/legacy.ts'
import { SharedLegacyConnection } from '../outbound/legacy-shared.ts'
import { ModernConnection, type ModernOptions } from '../outbound/modern.ts'
import type { Question, Reply } from '../outbound/probe.ts'
import type { Subscriptions } from '../outbound/subscriptions.ts'
import type { ToolProcess } from '../runtime/process.ts'
import { redactionFor } from '../runtime/secrets.ts'
import { SPANS } from '../telemetry/names.ts'
import { redactedError } from '../telemetry/redaction.ts'
import type { Declaration } from '../tool/declaration.ts'
import { VERSION } from '../version.ts'
import { greet } from './hello.ts'
import { inSpan, start } from './start.ts'
import type { Ground, Started, StartRequest } from './starting.ts'

/** A running process, and how it is spoken to. */
export interface Instance<C extends Connection = Connection> extends Started {
  readonly connection: C
}

/** One for many links. */
export type SharedInstance = Instance<SharedConnection>

/** How a process for many links is spoken to. */
export type How =
  | ({ readonly era: 'modern' } & ModernOptions)
  | ({ readonly era: 'legacy' } & SharedHow)

/** A process for one session; the client's own initialize is its handshake. */
export function startOwn(
  ground: Ground,
  request: StartRequest,
): Promise<Instance<LegacyConnection>> {
  return start(ground, request, async (process, log) => {
    const greeting = request.spare?.greeted?.answer
    return speaking(process, new LegacyConnection(process, log, request.events, greeting))
  })
}

/** A process for many links, with the handshake done by us. */
export function startShared(
  ground: Ground,
  request: StartRequest,
  subscriptions: Subscriptions,
  how: How,
): Promise<SharedInstance> {
  return start(ground, request, async (process, log, span) => {
    process.gathers = true
    const parts = [process, log, request.events, subscriptions] as const
    const connection =
      how.era === 'modern'
        ? new ModernConnection(...parts, how)
        : new SharedLegacyConnection(...parts, how)
    await inSpan<object>(ground.telemetry, SPANS.handshake, span, () =>
      redacted<object>(request.tool, connection.handshake(VERSION)),
    )
    return speaking(process, connection)
  })
}

/** A process that is asked one thing, within `milliseconds`, and is good for nothing else then. */
export function startAsked(
  ground: Ground,
  request: StartRequest,
  question: Question,
  milliseconds: number,
): Promise<Started & { readonly reply: Reply }> {
  return start(ground, { ...request, what: 'probe' }, async (process, _log, span) => ({
    reply: await inSpan(ground.telemetry, SPANS.handshake, span, () =>
      question(process, VERSION, milliseconds),
    ),
  }))
}

/**
 * A process for whoever comes next: its streams are read, no more. It is told nothing, or `hello`
 * and has answered that.
 */
export function startSpare(
  ground: Ground,
  request: StartRequest,
  hello?: string,
): Promise<Started> {
  const spare = { ...request, what: 'spare', priority: 'background' } as const
  return start(ground, spare, async (process, _log, span) => {
    if (hello === undefined) return {}
    const answer = await inSpan(ground.telemetry, SPANS.handshake, span, () =>
      redacted(request.tool, greet(process, hello)),
    )
    return { greeted: { hello, answer } }
  })
}

function speaking<C extends Connection>(process: ToolProcess, connection: C) {
  process.serving = () => connection.serving()
  return { connection }
}

/** What a tool answers to its handshake is logged, traced and told: without its secrets. */
function redacted<T extends object>(tool: Declaration, handshake: Promise<T>): Promise<T> {
  return handshake.catch((thrown) => {
    throw redactedError(thrown, redactionFor(tool))
  })
}
