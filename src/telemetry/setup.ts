import type { Writable } from 'node:stream'
import type { Config } from '../config/config.ts'
import { VERSION } from '../version.ts'
import { createLog } from './json-log.ts'
import { createMeters } from './meters.ts'
import { startSpan } from './span.ts'
import type { Telemetry } from './telemetry.ts'
import { createTraceExport } from './trace-export.ts'

/**
 * Logs to `output`, counts in memory, and exports spans where `telemetry.endpoint` says so; what
 * exports is loaded after the first span, so that starting costs nothing.
 */
export function createTelemetry(
  config: Pick<Config, 'telemetry' | 'log'>,
  output: Writable = process.stdout,
): Telemetry {
  const { log, close } = createLog(config.log.level, output)
  const { endpoint, sample } = config.telemetry
  const sink =
    endpoint === null ? null : createTraceExport({ endpoint, sample, version: VERSION, log })
  return {
    log,
    meters: createMeters(VERSION),
    span: (name, parent, attributes) => startSpan(sink, name, parent, attributes),
    async close() {
      await sink?.close()
      await close()
    },
  }
}
