import { ToolgateError } from '../../errors.ts'
import { ComposedMessage } from '../../protocol/composed-message.ts'
import { isLogLevel } from '../../protocol/log-level.ts'
import type { Era, Id, Message } from '../../protocol/message.ts'
import { META } from '../../protocol/meta.ts'
import type { Directory } from './directory.ts'
import { SERVER } from './hello.ts'
import { paramsOf } from './inward.ts'
import type { Kind } from './lists.ts'

/** The answer to a request for a list. Throws `invalid_params` for an unknown cursor. */
export function listed(directory: Directory, kind: Kind, request: Message, era: Era): Message {
  const page = directory.page(kind, paramsOf(request).cursor, era)
  const result = era === 'legacy' ? `{${page}}` : `{${MODERN},${page},"_meta":${ABOUT}}`
  const id = request.id as Id
  return new ComposedMessage({ kind: 'result', id, front: `,"result":${result}` })
}

const MODERN = '"resultType":"complete","ttlMs":0,"cacheScope":"private"'
const ABOUT = JSON.stringify({ [META.serverInfo]: SERVER })

/** The level that a `logging/setLevel` names. Throws `invalid_params`. */
export function levelOf(request: Message): string {
  const { level } = paramsOf(request)
  if (isLogLevel(level)) return level
  throw new ToolgateError('invalid_params', '"level" must be one of the levels of RFC 5424.')
}
