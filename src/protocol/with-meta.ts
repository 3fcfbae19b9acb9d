import { ComposedMessage, compose } from './composed-message.ts'
import { parseExact } from './exact-json.ts'
import type { JsonObject, Message } from './message.ts'

/**
 * The same request or notification with these entries in `params._meta`, whose others stay;
 * undefined takes an entry away.
 */
export function withMeta(message: Message, entries: JsonObject): Message {
  return composed(message).withMeta(entries)
}

/** The same request continuing this W3C trace; a `tracestate` of another trace is taken away. */
export function withTrace(message: Message, traceparent: string, tracestate?: string): Message {
  return withMeta(message, { traceparent, tracestate })
}

function composed(message: Message): ComposedMessage {
  if (message instanceof ComposedMessage) return message
  const { kind, id, method, bytes } = message
  const outside = { kind, ...(id !== undefined && { id }), ...(method !== undefined && { method }) }
  return compose(outside, parseExact(Buffer.from(bytes).toString()) as JsonObject)
}
