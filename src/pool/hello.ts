import type { Link } from '../call/link.ts'
import { ToolgateError } from '../errors.ts'
import { readInitialized } from '../outbound/handshake.ts'
import { parseExact } from '../protocol/exact-json.ts'
import type { JsonObject, Message } from '../protocol/message.ts'
import { isObject } from '../protocol/object.ts'
import { requestMessage } from '../protocol/read.ts'
import type { ToolProcess } from '../runtime/process.ts'

/**
 * What a session's client says to a process of its own at `initialize`, as text, each number as it
 * was written: to two that say the same, one process is as good as another. Its `_meta` is about one
 * request, and no part of that. Undefined: it says nothing yet.
 */
export function helloOf({ hello }: Pick<Link, 'hello'>): string | undefined {
  if (hello === undefined) return undefined
  const { params } = parseExact(Buffer.from(hello.bytes).toString()) as JsonObject
  const { _meta, ...said } = isObject(params) ? params : {}
  return JSON.stringify(said)
}

/**
 * Says it to a process that nobody reads yet, and resolves with its answer; what else it says is
 * kept. Rejects with `tool_gone`, and as `readInitialized` where it refuses.
 */
export async function greet(process: ToolProcess, hello: string): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>()
  process.read((message) => {
    const answer = message.kind === 'result' || message.kind === 'error'
    if (answer && message.id === GREETING) resolve(message)
    else process.keep(message)
  })
  promise.catch(() => {})
  void process.closed.then(({ reason }) => {
    reject(new ToolgateError('tool_gone', `The tool is gone: ${reason}.`))
  })
  process.send(requestMessage(GREETING, 'initialize', parseExact(hello) as JsonObject).bytes)
  const answer = await promise
  readInitialized(answer)
  return answer
}

const GREETING = 'toolgate:initialize'
