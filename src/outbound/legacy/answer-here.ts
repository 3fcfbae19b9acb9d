import type { Call } from '../../call/call.ts'
import type { Id, Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { resultMessage } from '../../protocol/read.ts'
import { agreedVersion, type InitializeResult } from '../handshake.ts'
import type { Subscriptions } from '../subscriptions.ts'
import { uriOf } from '../uri.ts'

/**
 * What is answered for a shared legacy process without asking it: what is the client's alone, and
 * what the process has been told before. Throws `invalid_params`.
 */
export function answerHere(
  { request, link }: Call,
  initialized: InitializeResult,
  subscriptions: Subscriptions,
): Message | undefined {
  const id = request.id as Id
  switch (request.method) {
    case 'initialize': {
      const { params } = request.json()
      const wanted = isObject(params) ? params.protocolVersion : undefined
      const protocolVersion = agreedVersion(initialized.protocolVersion, wanted)
      return resultMessage(id, { ...initialized, protocolVersion })
    }
    case 'ping':
    case 'logging/setLevel':
      return resultMessage(id, {})
    case 'resources/subscribe':
      return subscriptions.join(link, uriOf(request)) ? undefined : resultMessage(id, {})
    case 'resources/unsubscribe':
      return subscriptions.part(link, uriOf(request)) ? undefined : resultMessage(id, {})
    default:
      return undefined
  }
}
