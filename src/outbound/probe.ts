import type { Message } from '../protocol/message.ts'
import { META } from '../protocol/meta.ts'
import { isObject } from '../protocol/object.ts'
import { requestMessage } from '../protocol/read.ts'
import {
  isLegacyVersion,
  LATEST_LEGACY,
  LATEST_MODERN,
  MODERN_VERSIONS,
} from '../protocol/versions.ts'
import type { Pipe } from '../runtime/pipe.ts'

/** `silent`: nothing was said in time, which may mean no, or a process that starts slowly. */
export type Reply = 'yes' | 'no' | 'silent'

/** What a process is asked first and once; it may be lost by that. Never rejects. */
export type Question = (pipe: Pipe, version: string, milliseconds: number) => Promise<Reply>

/**
 * Does it speak modern? `server/discover` is answered with a result, or refused in words that
 * only a modern server has; whatever else happens means no.
 */
export const speaksModern: Question = async (pipe, version, milliseconds) => {
  const _meta = {
    [META.protocolVersion]: LATEST_MODERN,
    [META.clientCapabilities]: {},
    [META.clientInfo]: { name: 'toolgate', version },
  }
  const answer = await ask(pipe, requestMessage(ID, 'server/discover', { _meta }), milliseconds)
  if (answer === 'silent' || answer === 'no') return answer
  const { result, error } = answer
  const discovered = isObject(result) && Array.isArray(result.supportedVersions)
  return discovered || isModernError(error) ? 'yes' : 'no'
}

/** Does it serve a legacy session? Asked of a process that was asked nothing else. */
export const speaksLegacy: Question = async (pipe, version, milliseconds) => {
  const clientInfo = { name: 'toolgate', version }
  const params = { protocolVersion: LATEST_LEGACY, capabilities: {}, clientInfo }
  const answer = await ask(pipe, requestMessage(ID, 'initialize', params), milliseconds)
  if (answer === 'silent' || answer === 'no') return answer
  const { result } = answer
  return isObject(result) && isLegacyVersion(result.protocolVersion) ? 'yes' : 'no'
}

/** Was a legacy `initialize` refused by a server that is modern only? `error`: what it answered. */
export function refusedAsModern(error: unknown): boolean {
  if (!isObject(error)) return false
  if (isModernError(error)) return true
  // Nothing of what was sent names such a version, so these are the server's own words.
  const words = JSON.stringify([error.message, error.data])
  return MODERN_VERSIONS.some((version) => words.includes(version))
}

/** Header mismatch, missing capability, unsupported version: no older revision has these. */
function isModernError(error: unknown): boolean {
  if (!isObject(error) || !CODES.includes(error.code)) return false
  const supported = isObject(error.data) ? error.data.supported : undefined
  const legacyOnly = Array.isArray(supported) && supported.length > 0
  return !(legacyOnly && supported.every(isLegacyVersion))
}

const CODES: readonly unknown[] = [-32020, -32021, -32022]
const ID = 'toolgate:probe'

async function ask(
  pipe: Pipe,
  request: Message,
  milliseconds: number,
): Promise<'no' | 'silent' | { readonly result?: unknown; readonly error?: unknown }> {
  let timer: NodeJS.Timeout | undefined
  const answered = new Promise<Message | 'silent'>((resolve) => {
    timer = setTimeout(resolve, milliseconds, 'silent')
    pipe.read((message) => {
      // An error without an id is about what it could not read: the only thing it was sent.
      const about = message.id === ID || (message.kind === 'error' && message.id === undefined)
      if (about && message.kind !== 'request') resolve(message)
    })
  })
  try {
    pipe.send(request.bytes)
    const answer = await Promise.race([answered, pipe.closed.then(() => 'no' as const)])
    return typeof answer === 'string' ? answer : answer.json()
  } catch {
    // It is gone, or what it says is no JSON.
    return 'no'
  } finally {
    clearTimeout(timer)
  }
}
