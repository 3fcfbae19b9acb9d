import type { LogLevel } from '../tool/options.ts'

/** The levels of MCP's logging, the least severe first. */
export const LOG_LEVELS: readonly LogLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]

export function isLogLevel(level: unknown): level is LogLevel {
  return LOG_LEVELS.some((known) => known === level)
}

/** Whether a level is at least this severe; what is no level of MCP's is severe enough for all. */
export function isSevere(level: unknown, least: string): boolean {
  const levels: readonly unknown[] = LOG_LEVELS
  const at = levels.indexOf(level)
  return at < 0 || at >= levels.indexOf(least)
}
