import type { Link } from '../call/link.ts'
import type { Config } from '../config/config.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { Message } from '../protocol/message.ts'
import type { Sessions } from './sessions.ts'

/** What every MCP wire is built on. */
export interface WireParts {
  readonly config: Config
  readonly dispatch: Dispatch
  readonly sessions: Sessions
  /** Refuses a call that names another tool's function. Throws `out_of_scope`. */
  checkScope(link: Link, message: Message): void
}
