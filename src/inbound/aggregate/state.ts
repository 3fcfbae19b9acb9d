import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { Addition, withResult } from '../../protocol/with-result.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { withParams } from '../modern/with-params.ts'
import { paramsOf } from './inward.ts'

/**
 * A tool's answer whose `requestState` says which version of which tool it is of; the entrance
 * signs it, and cannot know that.
 */
export function withMarkedState(answer: Message, tool: Declaration): Message {
  const { bytes } = answer
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(ASKS)) return answer
  const { result } = answer.json()
  if (!isObject(result) || result.resultType !== 'input_required') return answer
  const { requestState } = result
  if (typeof requestState !== 'string') return answer
  const addition = new Addition({ requestState: markOf(tool) + requestState })
  return withResult(answer, answer.id ?? 0, addition)
}

/** The request with the state as the tool wrote it. Throws `invalid_params` for another's. */
export function withOwnState(request: Message, tool: Declaration): Message {
  const { requestState } = paramsOf(request)
  if (typeof requestState !== 'string') return request
  const mark = markOf(tool)
  if (requestState.startsWith(mark)) {
    return withParams(request, { requestState: requestState.slice(mark.length) })
  }
  const message = '"requestState" is of another version of the tool. Call again from the start.'
  throw new ToolgateError('invalid_params', message)
}

const ASKS = Buffer.from('input_required')

function markOf({ name, version }: Declaration): string {
  return `${name}@${version}:`
}
