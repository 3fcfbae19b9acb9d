import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '../call/caller.ts'
import type { Declaration } from '../tool/declaration.ts'

/** Who, may they, how often. Every entrance passes here, and dispatch refuses what did not. */
export interface Guard {
  /**
   * Who sends this request: an API key in `Authorization: Bearer` or `X-API-Key`, else anonymous
   * where that is allowed. Throws `unauthorized`.
   */
  identify(headers: IncomingHttpHeaders, remoteAddress: string | undefined): Caller
  /** May this caller see the tool at all? Throws `forbidden`. */
  see(caller: Caller, tool: Declaration): void
  /** The guard's yes for one call, charged to the tool's limit. Throws `rate_limited`, `forbidden`. */
  admit(caller: Caller, tool: Declaration): Promise<void>
  /** The tool is gone for good: what was counted for it is dropped. */
  forget(tool: string): void
  /** This version's limits hold for its tool from now on, for sessions of older ones too. */
  serve(tool: Declaration): void
  close(): void
}
