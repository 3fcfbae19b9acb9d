import { ToolgateError } from '../errors.ts'
import { prepareTool, startTool } from '../runtime/driver.ts'
import type { ToolProcess } from '../runtime/process.ts'
import { redactionFor } from '../runtime/secrets.ts'
import { checkWanted } from '../runtime/starting.ts'
import type { Usage } from '../runtime/usage.ts'
import type { LogFields } from '../telemetry/log.ts'
import { SPANS, type SpanName } from '../telemetry/names.ts'
import { redactedLog } from '../telemetry/redaction.ts'
import type { Span, Telemetry } from '../telemetry/telemetry.ts'
import type { Ground, Started, StartRequest } from './starting.ts'
import type { Turn } from './starts.ts'

/** How a process that was just started is made ready. */
export type Connect<T> = (process: ToolProcess, log: Telemetry['log'], span: Span) => Promise<T>

/** `probe`: it is asked one thing; `spare`: nobody speaks to it yet. */
export interface Start extends StartRequest {
  readonly what?: 'probe' | 'spare'
}

let lastInstance = 0

/** Starts a process and makes it ready; a spare of the request's is made ready only. */
export async function start<T extends object>(
  ground: Ground,
  request: Start,
  connect: Connect<T>,
): Promise<Started & T> {
  if (request.spare !== undefined) return handOut(ground, request, request.spare, connect)
  const { config, telemetry, egress, starts } = ground
  const { tool, what, owner, signal, priority = 'interactive' } = request
  const probe = what === 'probe'
  const id = `${tool.name}.${++lastInstance}`
  const kind = what === undefined ? {} : { [what]: true }
  const log = telemetry.log.child({ tool: tool.name, instance: id, ...kind })
  const since = performance.now()
  const span = telemetry.span(SPANS.spawn, request.traceparent, attributesOf(request, id))
  let process: ToolProcess | undefined
  let turn: Turn | undefined
  const giveUp = () => {
    if (process !== undefined) void starts.follow(process.close('its start was given up'))
  }
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    const options = {
      config,
      egress,
      log: telemetry.log,
      instance: id,
      ...(signal === undefined ? {} : { signal }),
      ...(owner === undefined ? {} : { owner }),
      // A shared process serves many traces, so it is given none.
      ...(request.traceparent === undefined ? {} : { traceparent: span.traceparent }),
    }
    const step = <S>(name: SpanName, run: () => Promise<S>) => inSpan(telemetry, name, span, run)
    const program = await step(SPANS.create, () => prepareTool(tool, options))
    turn = await starts.turn(priority, owner?.caller ?? tool.name, signal)
    checkWanted(signal)
    const starting = step(SPANS.start, () => startTool(tool, program, options))
    // An engine may hang: what it makes is waited for where it is removed.
    process = await (tool.runtime.kind === 'container' ? starting : starts.follow(starting))
    const started = process
    const quiet = redactedLog(log, redactionFor(tool))
    if (signal?.aborted === true) giveUp()
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
    if (process !== undefined) void starts.follow(process.close('it could not be started'))
    span.end(thrown)
    telemetry.meters.spawned(tool.name, 'failed', performance.now() - since)
    log.warn(causeOf(thrown), 'instance could not be started')
    throw startError(thrown)
  } finally {
    turn?.end()
    // Once it runs it is ended by whoever holds it, for their reason.
    signal?.removeEventListener('abort', giveUp)
  }
}

/** What there is left to do for a process that runs already: it joins a trace, and is made ready. */
async function handOut<T extends object>(
  { config, telemetry }: Ground,
  request: Start,
  { id, process, greeted }: Started,
  connect: Connect<T>,
): Promise<Started & T> {
  const { tool, signal } = request
  const log = telemetry.log.child({ tool: tool.name, instance: id })
  const since = performance.now()
  const span = telemetry.span(SPANS.spawn, request.traceparent, {
    ...attributesOf(request, id),
    'toolgate.pid': process.pid,
  })
  const giveUp = () => void process.close('its start was given up')
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    if (signal?.aborted === true) giveUp()
    const quiet = redactedLog(log, redactionFor(tool))
    const made = await inSpan(telemetry, SPANS.ready, span, () =>
      bounded(connect(process, quiet, span), config.timeouts.start, process),
    )
    span.end()
    const duration = Math.round(performance.now() - since)
    const initialized = greeted === undefined ? {} : { initialized: true }
    log.info({ pid: process.pid, duration, ...initialized }, 'spare handed out')
    return { id, tool, process, ...made }
  } catch (thrown) {
    void process.close('it could not be handed out')
    span.end(thrown)
    log.warn(causeOf(thrown), 'spare could not be handed out')
    throw startError(thrown)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

function attributesOf({ tool, spare, what }: Start, id: string) {
  return {
    'toolgate.tool': tool.name,
    'toolgate.runtime': tool.runtime.kind,
    'toolgate.instance': id,
    ...((spare !== undefined || what === 'spare') && { 'toolgate.spare': true }),
  }
}

function endLife(life: Span, usage: Usage | null, fault: string | undefined): void {
  for (const [name, value] of Object.entries(usage ?? {})) {
    if (value !== null) life.set(`toolgate.usage.${name}`, value)
  }
  life.end(fault === undefined ? undefined : new ToolgateError('tool_gone', fault))
}

/** Runs a step of a start in a span of its own, which fails as it does. */
export async function inSpan<T>(
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
