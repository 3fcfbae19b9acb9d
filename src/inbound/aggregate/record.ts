import type { Call } from '../../call/call.ts'
import { toToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { EVENTS } from '../../telemetry/names.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { FoundTool } from './find-tool.ts'

/**
 * Counts and logs a request that is answered or refused here, as the waist does those that it
 * sees; one for which a tool is found is still to come there.
 */
export async function recorded(
  telemetry: Telemetry,
  call: Call,
  look: () => Promise<Message | FoundTool>,
): Promise<Message | FoundTool> {
  const since = performance.now()
  let outcome: string | undefined
  try {
    const found = await look()
    if ('kind' in found) outcome = found.kind === 'error' ? 'tool_error' : 'ok'
    return found
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
