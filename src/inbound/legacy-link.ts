import type { Capabilities, Link } from '../call/link.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import { isLogLevel } from '../protocol/log-level.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import type { Questions } from './questions.ts'

/** A legacy client's link, and what its client has said of itself so far. */
export interface LegacyLink extends Link {
  capabilities: Capabilities
  clientInfo?: JsonObject
  hello?: Message
  logLevel?: string
  /** The protocol version agreed on; empty where none is. */
  version: string
  /** What its client is asked; absent where it cannot be, because an answer would not find us. */
  readonly questions?: Questions
}

/** Takes what a client says of itself at `initialize`. */
export function introduce(link: LegacyLink, initialize: Message): void {
  const { params } = initialize.json()
  if (initialize.bytes.length <= LONGEST_HELLO) link.hello = initialize
  const { capabilities, clientInfo } = isObject(params) ? params : {}
  link.capabilities = isObject(capabilities) ? capabilities : {}
  if (isObject(clientInfo)) link.clientInfo = clientInfo
}

/** Takes what the answer to a request settles: the version, or the least level of logs. */
export function settle(link: LegacyLink, request: Message, answer: Message): void {
  if (answer.kind !== 'result') return
  if (request.method === 'initialize') {
    const { result } = answer.json()
    if (isObject(result)) link.version = String(result.protocolVersion)
  } else if (request.method === 'logging/setLevel') {
    const { params } = request.json()
    if (isObject(params) && isLogLevel(params.level)) link.logLevel = params.level
  }
}

/** A client's notification or response: what answers a question of ours ends here. */
export function hear(dispatch: Dispatch, link: LegacyLink, message: Message): void {
  if (link.questions?.take(message) !== true) dispatch.tell(link, message)
}

/** Bytes of an `initialize` that is kept; an ordinary one has some hundred. */
const LONGEST_HELLO = 16 * 1024
