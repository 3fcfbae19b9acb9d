import type { IncomingMessage } from 'node:http'
import type { Caller } from '../call/caller.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Config } from '../config/config.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { ParkedCalls } from '../dispatch/parked.ts'
import type { Seal } from '../dispatch/seal.ts'
import { ToolgateError } from '../errors.ts'
import type { Guard } from '../guard/guard.ts'
import type { Found } from '../inbound/aggregate/directory.ts'
import type { RunningInstance } from '../pool/running.ts'
import type { Registry } from '../registry/registry.ts'
import type { Cell } from '../runtime/cell/cell.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Health } from './health.ts'

/** What the REST face is built on. */
export interface HttpParts {
  readonly config: Config
  readonly dispatch: Dispatch
  readonly registry: Registry
  readonly catalogue: Catalogue
  readonly guard: Guard
  readonly parked: ParkedCalls
  readonly seal: Seal
  readonly telemetry: Telemetry
  /** The function that `/mcp` lists under this name for the caller. */
  listed(caller: Caller, name: string): Found | undefined
  health(): Health
  /** How many processes and sessions a tool has now. */
  instances(tool: string): { readonly running: number; readonly sessions: number }
  /** Its processes one by one. */
  running(tool: string): readonly RunningInstance[]
  /** What its instances may touch, and what enforces it here. */
  cell(tool: Declaration): Promise<Cell>
}

/** What the front door found out about a request, and the trace it belongs to. */
export interface Asking {
  readonly caller: Caller
  readonly requestId: string
  readonly traceparent: string
  readonly tracestate?: string
}

const askings = new WeakMap<IncomingMessage, Asking>()

/** Keeps who asks beside the request, for as long as that lives. */
export function remember(req: IncomingMessage, asking: Asking): void {
  askings.set(req, asking)
}

/** Who asks. Throws `unauthorized` for a request that did not pass the front door. */
export function asked(req: IncomingMessage): Asking {
  const asking = askings.get(req)
  if (asking === undefined) throw new ToolgateError('unauthorized', 'Nobody was identified.')
  return asking
}
