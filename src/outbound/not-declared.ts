import type { Call, InputRequests } from '../call/call.ts'
import { ToolgateError } from '../errors.ts'
import { missingOfKnown } from '../protocol/asks.ts'
import type { JsonObject } from '../protocol/message.ts'

/** Throws `missing_capability` where the client did not declare that it can be asked for these. */
export function refuseUndeclared(requests: InputRequests, { link }: Pick<Call, 'link'>): void {
  const missing = missingOfKnown(requests, link.capabilities)
  if (missing !== undefined) throw notDeclared(missing)
}

/** What a modern client is told that lacks these (MCP 2026-07-28, -32021). */
export function notDeclared(
  requiredCapabilities: Readonly<Record<string, JsonObject>>,
): ToolgateError {
  const names = Object.entries(requiredCapabilities).flatMap(([name, parts]) => {
    const inner = Object.keys(parts)
    return inner.length === 0 ? [name] : inner.map((part) => `${name}.${part}`)
  })
  const message = `The tool asks its client for what it did not declare: ${names.join(', ')}.`
  return new ToolgateError('missing_capability', message, { data: { requiredCapabilities } })
}
