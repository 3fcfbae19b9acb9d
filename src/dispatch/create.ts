import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { Config } from '../config/config.ts'
import { ToolgateError, toToolgateError } from '../errors.ts'
import type { Guard } from '../guard/guard.ts'
import type { Connection } from '../outbound/connection.ts'
import type { Lease } from '../pool/lease.ts'
import type { Pool } from '../pool/pool.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { withTrace } from '../protocol/read.ts'
import { EVENTS, SPANS } from '../telemetry/names.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { awaitAnswer } from './deadline.ts'
import type { Dispatch } from './dispatch.ts'
import { isEndless } from './endless.ts'
import { Traced } from './traced.ts'

export interface DispatchParts {
  readonly config: Config
  readonly guard: Guard
  readonly pool: Pool
  readonly telemetry: Telemetry
}

export function createDispatch(parts: DispatchParts): Dispatch & { readonly inFlight: InFlight } {
  return new Waist(parts)
}

/** Calls that are open now, for draining and for the gauge; a listen is none of them. */
export interface InFlight {
  readonly count: number
  /** Resolves when none is open. */
  idle(): Promise<void>
  /** From now on every verb is refused. */
  refuse(): void
}

class Waist implements Dispatch {
  readonly inFlight: OpenCalls = new OpenCalls()
  readonly #parts: DispatchParts
  readonly #leases = new Map<Link, Lease>()

  constructor(parts: DispatchParts) {
    this.#parts = parts
  }

  async open(link: Link): Promise<void> {
    this.inFlight.check()
    const { guard } = this.#parts
    // A session costs a process, so opening it is charged; its initialize then is not.
    if (link.kind === 'session') await guard.admit(link.caller, link.tool)
    else guard.see(link.caller, link.tool)
    const lease = await this.#parts.pool.lease(link)
    this.#leases.set(link, lease)
  }

  async call(call: Call): Promise<Message> {
    const { guard, telemetry } = this.#parts
    const { link, trace } = call
    const { tool } = link
    const since = performance.now()
    const span = telemetry.span(SPANS.call, trace.traceparent)
    const awaited = !isEndless(call)
    let outcome = 'ok'
    if (awaited) this.inFlight.begin()
    try {
      this.inFlight.check()
      const lease = this.#leaseOf(link)
      if (call.request.method !== 'initialize') await guard.admit(link.caller, tool)
      const answer = await this.#answer(call, lease, span.traceparent)
      if (answer.kind === 'error') outcome = 'tool_error'
      span.end()
      return answer
    } catch (thrown) {
      const error = toToolgateError(thrown)
      outcome = error.code
      if (outcome === 'internal') {
        telemetry.log.error({ requestId: trace.requestId, err: error.cause }, 'call failed')
      }
      span.end(error)
      throw error
    } finally {
      if (awaited) this.inFlight.end()
      const duration = performance.now() - since
      const counted = awaited ? duration : undefined
      telemetry.meters.call(tool.name, trace.entrance, outcome, counted)
      telemetry.log.info(
        {
          requestId: trace.requestId,
          traceId: span.traceId,
          tool: tool.name,
          caller: link.caller.id,
          entrance: trace.entrance,
          method: call.request.method?.slice(0, MOST_NAME),
          function: functionOf(call.request),
          outcome,
          duration: Math.round(duration * 100) / 100,
        },
        EVENTS.call,
      )
    }
  }

  tell(link: Link, message: Message): void {
    if (message.kind === 'notification' && message.method?.startsWith('notifications/') !== true) {
      const what = `"${message.method}" is a request, and a request needs an "id".`
      throw new ToolgateError('bad_request', what)
    }
    // Where nothing runs there is nobody to be told, and a notification is no reason to start it.
    this.#leaseOf(link).current()?.tell(link, message)
  }

  close(link: Link, reason: string): void {
    const lease = this.#leases.get(link)
    if (lease === undefined) {
      this.#parts.pool.leave(link)
      return
    }
    this.#leases.delete(link)
    lease.release(reason)
  }

  async #answer(call: Call, lease: Lease, traceparent: string): Promise<Message> {
    const { config } = this.#parts
    lease.begin(call)
    try {
      const open = lease.connection(call)
      const connection = open instanceof Promise ? await whileWanted(open, call) : open
      const request = withTrace(call.request, traceparent, call.trace.tracestate)
      return await awaitAnswer({ call: new Traced(call, request), connection, lease, config })
    } finally {
      lease.end(call)
    }
  }

  #leaseOf(link: Link): Lease {
    const lease = this.#leases.get(link)
    if (lease !== undefined) return lease
    throw new ToolgateError('unknown_session', 'The session is unknown or has ended.')
  }
}

/** A caller that leaves does not wait for a process, nor in the queue for one. */
async function whileWanted(open: Promise<Connection>, { signal }: Call): Promise<Connection> {
  if (signal === undefined) return open
  const { promise: left, reject } = Promise.withResolvers<never>()
  const leave = () => reject(new ToolgateError('cancelled', 'The caller left.'))
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    return await Promise.race([open, left])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** Which function a `tools/call` names, for the log; never its arguments. */
function functionOf(request: Message): string | undefined {
  if (request.method !== 'tools/call') return undefined
  const name = (request.json().params as JsonObject | undefined)?.name
  return typeof name === 'string' ? name.slice(0, MOST_NAME) : undefined
}

/** Characters of what a client wrote that stand in the log. */
const MOST_NAME = 128

class OpenCalls implements InFlight {
  count = 0
  #refusing = false
  #waiting: (() => void)[] = []

  begin(): void {
    this.count += 1
  }

  end(): void {
    this.count -= 1
    if (this.count > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  refuse(): void {
    this.#refusing = true
  }

  check(): void {
    if (!this.#refusing) return
    throw new ToolgateError('shutting_down', 'The gateway is shutting down.', { retryAfter: 5 })
  }
}
