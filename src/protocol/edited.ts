import { ToolgateError } from '../errors.ts'
import { compose } from './composed-message.ts'
import { exactly } from './exactly.ts'
import type { Id, JsonObject, Message } from './message.ts'
import { isObject } from './object.ts'

/** The same notification with other params; undefined: with none. */
export function withParams(
  message: Message,
  edit: (params: JsonObject) => JsonObject | undefined,
): Message {
  const { kind, method = '' } = message
  const written = exactly(message)
  const params = edit(isObject(written.params) ? written.params : {})
  return compose({ kind, method }, { ...written, params })
}

/** The same answer with another result under another id. Throws `tool_misbehaved`. */
export function withEdited(answer: Message, id: Id, edit: (result: unknown) => unknown): Message {
  try {
    const written = exactly(answer)
    const plain = answer.json()
    const result = edit(written.result)
    // What anyone reads is at hand, unless it holds numbers that are for writing only.
    const object = written === plain ? { ...plain, id, result } : undefined
    return compose({ kind: 'result', id }, { ...written, result }, object)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ToolgateError('tool_misbehaved', 'The answer is nested too deeply.', { cause })
  }
}
