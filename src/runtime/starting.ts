import type { Config } from '../config/config.ts'
import { ToolgateError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { EgressDoors } from './egress/doors.ts'

export interface StartOptions {
  readonly config: Config
  readonly log: Logger
  /** The ways out of tools that may reach the network. */
  readonly egress: EgressDoors
  /** Id of the instance, for logs. */
  readonly instance: string
  /** W3C trace context of the request it is started for; absent for a shared instance. */
  readonly traceparent?: string
  readonly tracestate?: string
  readonly signal?: AbortSignal
  /** Whom it serves, where it serves one only: a workspace may be theirs alone. */
  readonly owner?: InstanceOwner
}

export interface InstanceOwner {
  /** Id of the caller; null: anonymous. */
  readonly caller: string | null
  /** Id of the session or, where there is none, of the request. */
  readonly link: string
}

/** A program with its arguments: what every process runtime comes down to. */
export interface Program {
  readonly program: string
  readonly args: readonly string[]
  /** Absolute paths that its runtime has to read, besides the program and what it was installed with. */
  readonly needs?: readonly string[]
}

/** Before anything is made that would have to be taken away again. */
export function checkWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw givenUp()
}

/** What a start rejects with whose signal is aborted. */
export function givenUp(): ToolgateError {
  return new ToolgateError('tool_gone', 'The start was given up.')
}
