import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection, ConnectionEvents, SharedConnection } from '../outbound/connection.ts'
import type { SharedHow } from '../outbound/legacy/how.ts'
import { LegacyConnection } from '../outbound/legacy.ts'
import { SharedLegacyConnection } from '../outbound/legacy-shared.ts'
import { ModernConnection, type ModernOptions } from '../outbound/modern.ts'
import type { Question, Reply } from '../outbound/probe.ts'
import type { Subscriptions } from '../outbound/subscriptions.ts'
import { prepareTool, startTool } from '../runtime/driver.ts'
import type { ToolProcess } from '../runtime/process.ts'
import { redactionFor } from '../runtime/secrets.ts'
import type { Usage } from '../runtime/usage.ts'
import type { LogFields } from '../telemetry/log.ts'
import { SPANS, type SpanName } from '../telemetry/names.ts'
import { redactedError, redactedLog } from '../telemetry/redaction.ts'
import type { Span, Telemetry } from '../telemetry/telemetry.ts'
import type { Declaration } from '../tool/declaration.ts'
import { VERSION } from '../version.ts'

/** One running process of a tool. */
export interface Started {
  readonly id: string
  readonly tool: Declaration
  readonly process: ToolProcess
}

/** The same, and how it is spoken to. */
export interface Instance<C extends Connection = Connection> extends Started {
  readonly connection: C
}

/** How a process for many links is spoken to. */
export type How =
  | ({ readonly era: 'modern' } & ModernOptions)
  | ({ readonly era: 'legacy' } & SharedHow)

export interface Ground {
  readonly config: Config
  readonly telemetry: Telemetry
}

export interface StartRequest {
  readonly tool: Declaration
  readonly events: ConnectionEvents
  /** Trace context of the request it is started for. */
  readonly traceparent?: string
  /** Gives the start up. */
  readonly signal?: AbortSignal
}

/** A process for one session; the client's own initialize is its handshake. */
export function startOwn(
  ground: Ground,
  request: StartRequest,
): Promise<Instance<LegacyConnection>> {
  return start(ground, request, async (process, log) => {
    return speaking(process, new LegacyConnection(process, log, request.events))
  })
}

/** A process for many links, with the handshake done by us. */
export function startShared(
  ground: Ground,
  request: StartRequest,
  subscriptions: Subscriptions,
  how: How,
): Promise<Instance<SharedConnection>> {
  return start(ground, request, async (process, log, span) => {
    process.gathers = true
    const parts = [process, log, request.events, subscriptions] as const
    const connection =
      how.era === 'modern'
        ? new ModernConnection(...parts, how)
        : new SharedLegacyConnection(...parts, how)
    await inSpan<object>(ground.telemetry, SPANS.handshake, span, () =>
      redacted(request.tool, connection.handshake(VERSION)),
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
  return start(ground, { ...request, probe: true }, async (process, _log, span) => ({
    reply: await inSpan(ground.telemetry, SPANS.handshake, span, () =>
      question(process, VERSION, milliseconds),
    ),
  }))
}

function speaking<C extends Connection>(process: ToolProcess, connection: C) {
  process.serving = () => connection.serving()
  return { connection }
}

let lastInstance = 0

async function start<T extends object>(
  ground: Ground,
  request: StartRequest & { readonly probe?: boolean },
  connect: (process: ToolProcess, log: Telemetry['log'], span: Span) => Promise<T>,
): Promise<Started & T> {
  const { config, telemetry } = ground
  const { tool, probe = false } = request
  const id = `${tool.name}.${++lastInstance}`
  const log = telemetry.log.child({ tool: tool.name, instance: id, ...(probe && { probe }) })
  const since = performance.now()
  const span = telemetry.span(SPANS.spawn, request.traceparent, {
    'toolgate.tool': tool.name,
    'toolgate.runtime': tool.runtime.kind,
    'toolgate.instance': id,
  })
  let process: ToolProcess | undefined
  const giveUp = () => void process?.close('its start was given up')
  request.signal?.addEventListener('abort', giveUp, { once: true })
  try {
    const options = {
      config,
      log: telemetry.log,
      instance: id,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      // A shared process serves many traces, so it is given none.
      ...(request.traceparent === undefined ? {} : { traceparent: span.traceparent }),
    }
    const step = <S>(name: SpanName, run: () => Promise<S>) => inSpan(telemetry, name, span, run)
    const program = await step(SPANS.create, () => prepareTool(tool, options))
    const started = await step(SPANS.start, () => startTool(tool, program, options))
    process = started
    const quiet = redactedLog(log, redactionFor(tool))
    if (request.signal?.aborted === true) giveUp()
    const made = await step(SPANS.ready, () =>
      bounded(connect(started, quiet, span), config.timeouts.start, started),
    )
    const milliseconds = performance.now() - since
    span.set('toolgate.pid', started.pid)
    span.end()
    telemetry.meters.spawned(tool.name, 'ok', milliseconds)
    log.info({ pid: started.pid, duration: Math.round(milliseconds) }, 'instance started')
    const life = telemetry.span(SPANS.life, span.traceparent, {
      'toolgate.tool': tool.name,
      'toolgate.instance': id,
      'toolgate.pid': started.pid,
    })
    void started.closed.then(({ reason, unexpected, exitCode, signal }) => {
      const { usage } = started
      const fields = { pid: started.pid, reason, exitCode, signal, usage }
      endLife(life, usage, unexpected && !probe ? reason : undefined)
      // Some tools end on a first request that they do not know, and a probe is such a request.
      if (unexpected && !probe) log.warn(fields, 'instance ended by itself')
      else log.info(fields, 'instance ended')
    })
    return { id, tool, process: started, ...made }
  } catch (thrown) {
    void process?.close('it could not be started')
    span.end(thrown)
    telemetry.meters.spawned(tool.name, 'failed', performance.now() - since)
    log.warn(causeOf(thrown), 'instance could not be started')
    throw startError(thrown)
  } finally {
    // Once it runs it is ended by whoever holds it, for their reason.
    request.signal?.removeEventListener('abort', giveUp)
  }
}

function endLife(life: Span, usage: Usage | null, fault: string | undefined): void {
  for (const [name, value] of Object.entries(usage ?? {})) {
    if (value !== null) life.set(`toolgate.usage.${name}`, value)
  }
  life.end(fault === undefined ? undefined : new ToolgateError('tool_gone', fault))
}

/** Runs a step of a start in a span of its own, which fails as it does. */
async function inSpan<T>(
  telemetry: Telemetry,
  name: SpanName,
  parent: Span,
  run: () => Promise<T>,
): Promise<T> {
  const span = telemetry.span(name, parent.traceparent)
  try {
    const value = await run()
    span.end()
    return value
  } catch (error) {
    span.end(error)
    throw error
  }
}

/** A start has its own budget, and ends early when the process does. */
async function bounded<T>(run: Promise<T>, milliseconds: number, process: ToolProcess): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The tool did not start within timeouts.start (${milliseconds} ms).`
      reject(new ToolgateError('tool_failed_to_start', message))
      void process.close('it did not start in time')
    }, milliseconds)
  })
  try {
    return await Promise.race([run, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What a tool answers to its handshake is logged, traced and told: without its secrets. */
function redacted(tool: Declaration, handshake: Promise<object>): Promise<object> {
  return handshake.catch((thrown) => {
    throw redactedError(thrown, redactionFor(tool))
  })
}

/** A stack is for what nobody expected; what a tool does wrong has words. */
function causeOf(thrown: unknown): LogFields {
  return thrown instanceof ToolgateError ? { error: thrown.message } : { err: thrown }
}

/** While it starts, a tool that is gone is a tool that could not be started. */
function startError(thrown: unknown): unknown {
  if (!(thrown instanceof ToolgateError) || thrown.code !== 'tool_gone') return thrown
  const message = thrown.message.replace('is gone', 'could not be started')
  return new ToolgateError('tool_failed_to_start', message, { cause: thrown })
}
