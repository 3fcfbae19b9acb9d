import type { Call } from '../call/call.ts'
import { toToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { EVENTS } from '../telemetry/names.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

/** What becomes of a request: its answer, or what is still to be asked for it. */
export type Looked<T> = { readonly answer: Message } | { readonly next: T }

/**
 * Counts and logs a request that is answered or refused before the waist, as that does those that
 * it sees; what is still to be asked is still to come there.
 */
export async function recorded<T>(
  telemetry: Telemetry,
  call: Call,
  look: () => Looked<T> | Promise<Looked<T>>,
): Promise<Looked<T>> {
  const since = performance.now()
  let outcome: string | undefined
  try {
    const looked = await look()
    if ('answer' in looked) outcome = looked.answer.kind === 'error' ? 'tool_error' : 'ok'
    return looked
  } catch (thrown) {
    outcome = toToolgateError(thrown).code
    throw thrown
  } finally {
    if (outcome !== undefined) record(telemetry, call, outcome, performance.now() - since)
  }
}

function record({ meters, log }: Telemetry, call: Call, outcome: string, duration: number): void {
  const { link, request, trace } = call
  meters.call(link.tool.name, trace.entrance, outcome, duration)
  log.info(
    {
      requestId: trace.requestId,
      traceId: trace.traceparent?.split('-')[1],
      tool: link.tool.name,
      caller: link.caller.id,
      entrance: trace.entrance,
      method: request.method,
      outcome,
      duration: Math.round(duration * 100) / 100,
    },
    EVENTS.call,
  )
}
