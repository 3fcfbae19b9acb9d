import type { Call, CallTrace } from '../../call/call.ts'
import type { Message } from '../../protocol/message.ts'
import { saidOutward } from './outward.ts'
import type { ToolLink } from './tool-link.ts'

/** A client's call on its way to the one tool that it is for. */
export class Passed implements Call {
  readonly link: ToolLink
  readonly request: Message
  readonly trace: CallTrace
  readonly signal: AbortSignal
  readonly ask?: NonNullable<Call['ask']>
  readonly #call: Call

  /** `ask`: asks the client, where that is not done as its call does. */
  constructor(
    call: Call,
    link: ToolLink,
    request: Message,
    signal: AbortSignal,
    ask = call.ask?.bind(call),
  ) {
    this.link = link
    this.request = request
    this.trace = call.trace
    this.signal = signal
    if (ask !== undefined) this.ask = ask
    this.#call = call
  }

  notify(message: Message): void {
    this.#call.notify(saidOutward(message, this.link.references))
  }
}
