import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Connection, ConnectionEvents } from '../outbound/connection.ts'
import { LegacyConnection } from '../outbound/legacy.ts'
import { SharedLegacyConnection } from '../outbound/legacy-shared.ts'
import type { Subscriptions } from '../outbound/subscriptions.ts'
import { prepareTool, startTool } from '../runtime/driver.ts'
import type { ToolProcess } from '../runtime/process.ts'
import type { LogFields } from '../telemetry/log.ts'
import { SPANS } from '../telemetry/names.ts'
import type { Span, Telemetry } from '../telemetry/telemetry.ts'
import type { Declaration } from '../tool/declaration.ts'
import { VERSION } from '../version.ts'

/** One running process of a tool, and how it is spoken to. */
export interface Instance<C extends Connection = Connection> {
  readonly id: string
  readonly tool: Declaration
  readonly process: ToolProcess
  readonly connection: C
}

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
    return new LegacyConnection(process, log, request.events)
  })
}

/** A process for many links, with the handshake done by us. */
export function startShared(
  ground: Ground,
  request: StartRequest,
  subscriptions: Subscriptions,
): Promise<Instance<SharedLegacyConnection>> {
  return start(ground, request, async (process, log, span) => {
    const connection = new SharedLegacyConnection(process, log, request.events, subscriptions)
    const handshake = ground.telemetry.span(SPANS.handshake, span.traceparent)
    try {
      await connection.handshake(VERSION)
      handshake.end()
    } catch (error) {
      handshake.end(error)
      throw error
    }
    return connection
  })
}

let lastInstance = 0

async function start<C extends Connection>(
  ground: Ground,
  request: StartRequest,
  connect: (process: ToolProcess, log: Telemetry['log'], span: Span) => Promise<C>,
): Promise<Instance<C>> {
  const { config, telemetry } = ground
  const { tool } = request
  const id = `${tool.name}.${++lastInstance}`
  const log = telemetry.log.child({ tool: tool.name, instance: id })
  const since = performance.now()
  const span = telemetry.span(SPANS.spawn, request.traceparent, {
    'toolgate.tool': tool.name,
    'toolgate.runtime': tool.runtime.kind,
    'toolgate.instance': id,
  })
  const step = async <T>(
    name: (typeof SPANS)['create' | 'start' | 'ready'],
    run: () => Promise<T>,
  ) => {
    const child = telemetry.span(name, span.traceparent)
    try {
      const value = await run()
      child.end()
      return value
    } catch (error) {
      child.end(error)
      throw error
    }
  }
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
    const program = await step(SPANS.create, () => prepareTool(tool, options))
    const started = await step(SPANS.start, () => startTool(tool, program, options))
    process = started
    if (request.signal?.aborted === true) giveUp()
    const connection = await step(SPANS.ready, () =>
      bounded(connect(started, log, span), config.timeouts.start, started),
    )
    started.serving = () => connection.serving()
    const milliseconds = performance.now() - since
    span.set('toolgate.pid', started.pid)
    span.end()
    telemetry.meters.spawned(tool.name, 'ok', milliseconds)
    log.info({ pid: started.pid, duration: Math.round(milliseconds) }, 'instance started')
    void started.closed.then(({ reason, unexpected, exitCode, signal }) => {
      const fields = { pid: started.pid, reason, exitCode, signal }
      if (unexpected) log.warn(fields, 'instance ended by itself')
      else log.info(fields, 'instance ended')
    })
    return { id, tool, process: started, connection }
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
