import type { Call } from '../../call/call.ts'
import type { Message } from '../../protocol/message.ts'

/** What stands behind one client's link to all tools. */
export interface Bundle {
  /** Answers one request. Rejects as `Dispatch.call` does. */
  call(call: Call): Promise<Message>
  /** Passes a notification or a response on to whom it is for. */
  tell(message: Message): void
  /** Ends all links that stand behind it. */
  close(reason: string): void
}
