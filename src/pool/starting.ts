import type { Config } from '../config/config.ts'
import type { ConnectionEvents } from '../outbound/connection.ts'
import type { Message } from '../protocol/message.ts'
import type { EgressDoors } from '../runtime/egress/doors.ts'
import type { ToolProcess } from '../runtime/process.ts'
import type { InstanceOwner } from '../runtime/starting.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Priority } from './queue.ts'
import type { Starts } from './starts.ts'

/** What every start needs. */
export interface Ground {
  readonly config: Config
  readonly telemetry: Telemetry
  /** The ways out of tools that may reach the network. */
  readonly egress: EgressDoors
  /** Bounds how many are started at the same time. */
  readonly starts: Starts
}

export interface StartRequest {
  readonly tool: Declaration
  readonly events: ConnectionEvents
  /** Whom it serves, where that is one caller only. */
  readonly owner?: InstanceOwner
  /** Trace context of the request it is started for. */
  readonly traceparent?: string
  /** Gives the start up. */
  readonly signal?: AbortSignal
  /** Default `interactive`. */
  readonly priority?: Priority
  /** A process that runs already: it is handed out. */
  readonly spare?: Started
}

/** One running process of a tool. */
export interface Started {
  readonly id: string
  readonly tool: Declaration
  readonly process: ToolProcess
  /** The initialize that a spare has been told, and its answer; absent: it was told nothing. */
  readonly greeted?: { readonly hello: string; readonly answer: Message }
}
