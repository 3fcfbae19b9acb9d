import type { Call } from '../call/call.ts'
import type { Link } from '../call/link.ts'
import type { Message } from '../protocol/message.ts'

/** The waist. There is no other way in; each verb is admitted and checked against the link's owner. */
export interface Dispatch {
  /** Takes a lease for the link. Throws when the tool cannot be started or the caps are reached. */
  open(link: Link): Promise<void>
  /** Answers one request with the tool's result or error message. Throws ToolgateError. */
  call(call: Call): Promise<Message>
  /** Passes a notification or a response on to the tool. */
  tell(link: Link, message: Message): void
  /** Gives the lease back; with a session ends its instance. Safe to call again. */
  close(link: Link, reason: string): void
}
