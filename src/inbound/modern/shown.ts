import type { Link } from '../../call/link.ts'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Config } from '../../config/config.ts'
import type { Turn } from '../../dispatch/parked.ts'
import type { Seal } from '../../dispatch/seal.ts'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { errorMessage, resultMessage } from '../../protocol/read.ts'
import { Addition, withResult } from '../../protocol/with-result.ts'
import { mayBeShared } from './cache-scope.ts'
import { aboutServer } from './discover.ts'
import { bearerOf } from './turn.ts'

export interface ShownParts {
  readonly config: Config
  readonly catalogue: Catalogue
  readonly seal: Seal
}

/**
 * How a turn ends, as its client is shown it. `request` is what the client sent. Throws
 * `tool_misbehaved` for a state that no client could bring back.
 */
export function shown(parts: ShownParts, link: Link, request: Message, turn: Turn): Message {
  if ('answer' in turn) return shownAnswer(parts, link, request, turn.answer)
  const { seal, catalogue } = parts
  const state = { kind: 'parked', value: turn.state } as const
  return resultMessage(request.id ?? 0, {
    resultType: 'input_required',
    inputRequests: turn.asks,
    requestState: seal.seal(state, bearerOf(link, request)),
    ...aboutServer(catalogue.peek(link.tool)),
  })
}

function shownAnswer(parts: ShownParts, link: Link, request: Message, answer: Message): Message {
  if (answer.kind === 'error') return withoutLegacyCodes(answer)
  // A result is parsed only where its bytes say that there is something to be changed in it.
  if (contains(answer, ASKS)) return withSealedState(parts, link, request, answer)
  if (
    CACHED.has(request.method) &&
    contains(answer, PUBLIC) &&
    !mayBeShared(parts.config, link.tool)
  ) {
    return withPrivateScope(answer)
  }
  return answer
}

/** Until 2025-11-25 a resource that is not found was -32002. */
function withoutLegacyCodes(answer: Message): Message {
  const { error } = answer.json()
  if (!isObject(error) || error.code !== -32002) return answer
  return errorMessage(answer.id ?? null, -32602, String(error.message), error.data)
}

function withSealedState(
  { seal, config }: ShownParts,
  link: Link,
  request: Message,
  answer: Message,
): Message {
  const { result } = answer.json()
  if (!isObject(result) || result.resultType !== 'input_required') return answer
  if (typeof result.requestState !== 'string') return answer
  const state = { kind: 'tool', value: result.requestState } as const
  const requestState = seal.seal(state, bearerOf(link, request))
  const most = config.sizes.body / 2
  if (requestState.length > most) {
    const what = `The tool gave a "requestState" of more than ${most} bytes, as it is signed here`
    throw new ToolgateError('tool_misbehaved', `${what}: its client could not bring it back.`)
  }
  return withResult(answer, answer.id ?? 0, new Addition({ requestState }))
}

function withPrivateScope(answer: Message): Message {
  const { result } = answer.json()
  if (!isObject(result) || result.cacheScope !== 'public') return answer
  return withResult(answer, answer.id ?? 0, PRIVATE)
}

const CACHED: ReadonlySet<string | undefined> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

function contains({ bytes }: Message, text: Buffer): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text)
}

const ASKS = Buffer.from('input_required')
const PRIVATE = new Addition({ cacheScope: 'private' })
const PUBLIC = Buffer.from('"public"')
