import type { Gateway } from '../harness/gateway.ts'
import { openDescriptors } from '../harness/processes.ts'
import { raw } from '../harness/raw.ts'

/** What a gateway holds, by name: sessions, calls, processes, handles and descriptors. */
export type Gauges = Readonly<Record<string, number>>

const KEPT =
  /^(?:mcp_gateway_(?:sessions_active|requests_in_flight|requests_parked|listens_active|connections_active|instances|queue_length)|nodejs_active_resources)\b/

/** Reads them now; those that are 0 are left out. What is of this very look is the same each time. */
export async function readGauges(gateway: Gateway): Promise<Gauges> {
  const { metricsUrl } = await gateway.waitForLog('listening', ({ msg }) => msg === 'listening')
  const { text } = await raw(String(metricsUrl))
  const samples = text
    .split('\n')
    .filter((line) => KEPT.test(line))
    .map((line) => line.split(/ (?=\d+$)/))
    .map(([name = '', value]) => [name, Number(value)] as const)
  // They come and go with the tick of a clock, and are bounded by what they are for.
  const steady = samples.filter(([name, value]) => value > 0 && !name.includes('"Timeout"'))
  return { ...Object.fromEntries(steady), descriptors: openDescriptors(gateway.pid) }
}

/** Those that have grown, with both values. */
export function grown(before: Gauges, after: Gauges): Record<string, readonly [number, number]> {
  const more = Object.entries(after).filter(([name, value]) => value > (before[name] ?? 0))
  return Object.fromEntries(more.map(([name, value]) => [name, [before[name] ?? 0, value]]))
}
