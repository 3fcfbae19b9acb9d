import type { Call, InputRequests } from '../../call/call.ts'
import { ToolgateError } from '../../errors.ts'
import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'
import { WHOLE } from '../../protocol/tool-line.ts'
import { refuseUndeclared } from '../not-declared.ts'

/**
 * A modern tool's answer goes to a modern client as it is; but where it asks, it must be allowed
 * to. Throws `tool_misbehaved`, and `missing_capability` for what the client did not declare.
 */
export function refuseWrongAsk(call: Call, answer: Message): void {
  // A long answer is not parsed to see that it asks for nothing.
  if (answer.kind !== 'result' || (answer.bytes.length > WHOLE && !contains(answer, ASKS))) return
  const { result } = answer.json()
  if (!isObject(result) || result.resultType !== 'input_required') return
  refuseAsk(call.request.method)
  const { inputRequests } = result
  if (isObject(inputRequests)) refuseUndeclared(inputRequests as InputRequests, call)
}

/** Throws `tool_misbehaved` for the requests that a tool must answer without asking anything. */
export function refuseAsk(method: string | undefined): void {
  if (!ANSWERED_AT_ONCE.has(method)) return
  const message = `The tool asks for input in answer to ${method}, where it may not.`
  throw new ToolgateError('tool_misbehaved', message)
}

/** All of MCP 2026-07-28 but tools/call, prompts/get and resources/read. */
const ANSWERED_AT_ONCE: ReadonlySet<string | undefined> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'completion/complete',
  'subscriptions/listen',
])

const ASKS = Buffer.from('input_required')

function contains({ bytes }: Message, text: Buffer): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text)
}
