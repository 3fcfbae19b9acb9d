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
