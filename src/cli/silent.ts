import type { Logger } from '../telemetry/log.ts'

/** For a command that says itself what is wrong. */
export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
}
