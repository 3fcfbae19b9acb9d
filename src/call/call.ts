import type { Message } from '../protocol/message.ts'
import type { Link } from './link.ts'

/** One client request on its way through: the waist of the house. */
export interface Call {
  readonly link: Link
  readonly request: Message
  /** Aborted when the client gives the call up; absent where an entrance cannot. */
  readonly signal?: AbortSignal
  /** For logs and spans. */
  readonly trace: CallTrace
  /** A message of the tool's that belongs to this call: progress, log. */
  notify(message: Message): void
  /**
   * Sampling, elicitation, roots: what the tool asks of the client. Resolves with a result for each
   * key. Rejects with `missing_capability` for what the client did not declare, with whatever ends
   * the call, or with what the client refused it with. Absent where nothing can be asked.
   */
  readonly ask?: ((requests: InputRequests) => Promise<InputResponses>) | undefined
}

/** Where a call came in, and the trace it belongs to. */
export interface CallTrace {
  readonly entrance: Entrance
  /** Id of the HTTP request, `X-Request-Id`. */
  readonly requestId: string
  /** W3C trace context of the span that this call is part of; absent: a new trace begins. */
  readonly traceparent?: string
  readonly tracestate?: string
}

export type Entrance = 'rest' | 'invoke' | 'streamable' | 'modern' | 'sse' | 'catalogue'

/** Requests by key; each is a method and its params. */
export type InputRequests = Readonly<Record<string, InputRequest>>

export interface InputRequest {
  readonly method: string
  readonly params?: unknown
}

/** A result for each key. */
export type InputResponses = Readonly<Record<string, unknown>>
