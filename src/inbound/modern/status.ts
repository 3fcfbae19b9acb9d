import type { Message } from '../../protocol/message.ts'
import { isObject } from '../../protocol/object.ts'

/** The HTTP status of an answer, by its JSON-RPC error code (2026-07-28, Streamable HTTP). */
export function statusOf(answer: Message): number {
  if (answer.kind !== 'error') return 200
  const { error } = answer.json()
  return statusOfCode(isObject(error) ? error.code : undefined) ?? 200
}

export function statusOfCode(code: unknown): number | undefined {
  return STATUSES.get(code)
}

const STATUSES: ReadonlyMap<unknown, number> = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
])
