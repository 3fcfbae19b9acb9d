import type { Call, InputRequest } from '../../call/call.ts'
import { missingOfKnown } from '../../protocol/asks.ts'
import type { JsonObject, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { notDeclared } from '../not-declared.ts'

/**
 * What legacy tools asked of modern clients that had not declared it. A tool may do without; when
 * it fails, its client is told what it would have needed (MCP 2026-07-28, -32021).
 */
export class Undeclared {
  readonly #needed = new WeakMap<Call, Readonly<Record<string, JsonObject>>>()

  /** The tool was refused this question during the call. */
  note(call: Call, question: InputRequest): void {
    if (call.link.era === 'legacy') return
    const missing = missingOfKnown({ question }, call.link.capabilities)
    if (missing !== undefined) this.#needed.set(call, { ...this.#needed.get(call), ...missing })
  }

  /** Throws `missing_capability` where the answer says that the tool could not do without. */
  check(call: Call, answer: Message): void {
    const requiredCapabilities = this.#needed.get(call)
    if (requiredCapabilities === undefined) return
    const { result } = answer.json()
    if (answer.kind === 'result' && !(isObject(result) && result.isError === true)) return
    throw notDeclared(requiredCapabilities)
  }
}
