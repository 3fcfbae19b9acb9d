import type { Capabilities } from '../../call/link.ts'

/** How a legacy process serves the links that share it. */
export interface SharedHow {
  /** What its clients can answer, offered to the tool at its handshake. */
  readonly capabilities: Capabilities
  /** It is given one call at a time, so that what it says outside calls belongs to that one. */
  readonly exclusive: boolean
  /** It is a child of our own, which says with each message what call it is about. */
  readonly correlated: boolean
}
