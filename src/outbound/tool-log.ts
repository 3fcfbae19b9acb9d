import type { JsonObject } from '../protocol/message.ts'
import type { Logger } from '../telemetry/log.ts'

/** Logs a shared tool's `notifications/message`, never its data, at a bounded rate. */
export function toolLog(log: Logger): (params: JsonObject) => void {
  let second = 0
  let lines = 0
  let dropped = 0
  return ({ level, logger }) => {
    const now = Math.floor(performance.now() / 1000)
    if (now !== second) {
      second = now
      lines = 0
      if (dropped > 0) log.warn({ dropped }, 'tool log lines dropped')
      dropped = 0
    }
    lines += 1
    if (lines > PER_SECOND) dropped += 1
    else log.info({ level: short(level), logger: short(logger) }, 'tool log')
  }
}

function short(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 128) : undefined
}

const PER_SECOND = 50
