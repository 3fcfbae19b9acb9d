import { constants } from 'node:os'
import type { Logger } from '../telemetry/log.ts'

/** Why the gateway ends, and with which exit code. */
export interface Ending {
  readonly reason: string
  readonly code: 0 | 1
}

/**
 * Resolves with the first reason to end: a signal, or an error that nobody caught. A second signal
 * ends the process at once. Errors after the first reason are only logged.
 */
export function firstEnding(log: Logger): Promise<Ending> {
  return new Promise((resolve) => {
    let signalled = 0
    const onSignal = (signal: NodeJS.Signals) => {
      // One Ctrl-C comes from the terminal, from npm and from the launcher.
      if (signalled > 0 && Date.now() - signalled < ECHO) return
      if (signalled > 0) process.exit(128 + constants.signals[signal])
      signalled = Date.now()
      resolve({ reason: signal, code: 0 })
    }
    const onError = (kind: string) => (err: unknown) => {
      log.error({ err }, kind)
      resolve({ reason: kind, code: 1 })
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
    process.on('uncaughtException', onError('uncaught exception'))
    process.on('unhandledRejection', onError('unhandled rejection'))
  })
}

/** Milliseconds in which the same Ctrl-C may arrive again. */
const ECHO = 500
