import type { Config } from '../config/config.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Sessions } from './sessions.ts'

/** What every MCP wire is built on. */
export interface WireParts {
  readonly config: Config
  readonly dispatch: Dispatch
  readonly sessions: Sessions
  /** Refuses a call that names another tool's function. Throws `out_of_scope`. */
  checkScope(tool: Declaration, message: Message): void
}
