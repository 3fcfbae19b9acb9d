import type { Call } from '../../call/call.ts'
import type { Link } from '../../call/link.ts'
import type { Dispatch } from '../../dispatch/dispatch.ts'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { ALL_TOOLS } from './all-tools.ts'
import type { Bundle } from './bundle.ts'
import { RequestBundle, type RequestBundleParts } from './request-bundle.ts'
import { SessionBundle, type SessionBundleParts } from './session-bundle.ts'

export type AggregateParts = SessionBundleParts & RequestBundleParts

/**
 * The waist with one tool more: a link to `ALL_TOOLS` becomes links to the tools its client uses.
 * Whatever wire it came on, it is opened, called, told and closed as any other.
 *
 * How a request goes through this folder:
 * - `Directories` knows what each caller may see: a `Directory`, which writes the lists (`Listing`,
 *   `listNames`, `uris.ts`) and finds the tool of a name, a URI or an id again.
 * - A `Bundle` stands behind each link: a `RequestBundle` for one request, a `SessionBundle` for a
 *   legacy session, with its `SessionLinks` to the tools it has used, its `SessionView` of them and
 *   what they have `Asked` its client.
 * - The bundle answers what is for no tool alone (`hello.ts`, `answers.ts`, `listen.ts`). Anything
 *   else `findTool` takes to its tool, in the tool's words (`inward.ts`), as a `Passed` call on a
 *   `ToolLink`, through the waist below; the answer comes back in ours (`outward.ts`, with the
 *   tool's `References`).
 */
export class AggregateDispatch implements Dispatch {
  readonly #parts: AggregateParts
  readonly #bundles = new Map<Link, Bundle>()

  constructor(parts: AggregateParts) {
    this.#parts = parts
  }

  async open(link: Link): Promise<void> {
    if (link.tool !== ALL_TOOLS) return this.#parts.dispatch.open(link)
    const Kind = link.kind === 'session' ? SessionBundle : RequestBundle
    this.#bundles.set(link, new Kind(this.#parts, link))
  }

  call(call: Call): Promise<Message> {
    if (call.link.tool !== ALL_TOOLS) return this.#parts.dispatch.call(call)
    return this.#bundleOf(call.link).call(call)
  }

  tell(link: Link, message: Message): void {
    if (link.tool !== ALL_TOOLS) {
      this.#parts.dispatch.tell(link, message)
      return
    }
    if (message.kind === 'notification' && message.method?.startsWith('notifications/') !== true) {
      const what = `"${message.method}" is a request, and a request needs an "id".`
      throw new ToolgateError('bad_request', what)
    }
    this.#bundleOf(link).tell(message)
  }

  close(link: Link, reason: string): void {
    this.#bundles.get(link)?.close(reason)
    if (!this.#bundles.delete(link)) this.#parts.dispatch.close(link, reason)
  }

  #bundleOf(link: Link): Bundle {
    const bundle = this.#bundles.get(link)
    if (bundle !== undefined) return bundle
    throw new ToolgateError('unknown_session', 'The session is unknown or has ended.')
  }
}
