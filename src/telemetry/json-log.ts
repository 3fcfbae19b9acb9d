import type { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Config } from '../config/config.ts'
import type { Logger } from './log.ts'
import { EVENTS } from './names.ts'
import { LineOutput } from './output.ts'

export interface JsonLog {
  readonly log: Logger
  /** Writes out what is pending, within half a second. */
  close(): Promise<void>
}

/** A logger that writes one JSON line each: `level` as text, `time` in ISO 8601, `msg`, fields. */
export function createLog(level: Config['log']['level'], stream: Writable): JsonLog {
  const output = new LineOutput(stream, { droppedLine })
  const log = pino(
    { level, base: null, timestamp, formatters: { level: (label) => ({ level: label }) } },
    output,
  )
  return { log, close: () => output.close() }
}

function droppedLine(dropped: number): string {
  return `{"level":"warn"${timestamp()},"dropped":${dropped},"msg":"${EVENTS.logDropped}"}\n`
}

/** Written once for each millisecond: a busy gateway logs many lines in one. */
function timestamp(): string {
  const now = Date.now()
  if (now !== writtenAt) {
    writtenAt = now
    written = `,"time":"${new Date(now).toISOString()}"`
  }
  return written
}

let writtenAt = 0
let written = ''
