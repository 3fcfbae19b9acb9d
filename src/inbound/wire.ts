import type { Caller } from '../call/caller.ts'
import type { Link } from '../call/link.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Config } from '../config/config.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { ParkedCalls } from '../dispatch/parked.ts'
import type { Seal } from '../dispatch/seal.ts'
import type { Guard } from '../guard/guard.ts'
import type { Message } from '../protocol/message.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Found } from './aggregate/directory.ts'
import type { Listens } from './modern/listens.ts'
import type { Sessions } from './sessions.ts'

/** What every MCP wire is built on. */
export interface WireParts {
  readonly config: Config
  readonly dispatch: Dispatch
  readonly guard: Guard
  readonly telemetry: Telemetry
  readonly sessions: Sessions
  readonly listens: Listens
  readonly parked: ParkedCalls
  readonly seal: Seal
  readonly catalogue: Catalogue
  /** The tool's version that new links begin with. Throws `unknown_tool`, `not_learned`. */
  find(tool: string): Declaration | Promise<Declaration>
  /** The catalogue, in which `ALL_TOOLS` is what this caller may see. */
  catalogueFor(caller: Caller): Catalogue
  /**
   * The tool of a function that a link's client calls, and its own name there. A promise where that
   * has to be learned first; rejects with `not_learned`, and as the call would.
   */
  functionOf(link: Link, name: string): Found | Promise<Found>
  /** Refuses a call that names another tool's function. Throws `out_of_scope`. */
  checkScope(link: Link, message: Message): void
}
