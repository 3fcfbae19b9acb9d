import type { Link } from '../call/link.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Config } from '../config/config.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { ParkedCalls } from '../dispatch/parked.ts'
import type { Seal } from '../dispatch/seal.ts'
import type { Message } from '../protocol/message.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Sessions } from './sessions.ts'

/** What every MCP wire is built on. */
export interface WireParts {
  readonly config: Config
  readonly dispatch: Dispatch
  readonly sessions: Sessions
  readonly parked: ParkedCalls
  readonly seal: Seal
  readonly catalogue: Catalogue
  /** The tool's version that new links begin with. Throws `unknown_tool`, `not_learned`. */
  find(tool: string): Declaration | Promise<Declaration>
  /** Refuses a call that names another tool's function. Throws `out_of_scope`. */
  checkScope(link: Link, message: Message): void
}
