import type { HrTime } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { ToolgateError } from '../errors.ts'
import { SPAN_KINDS, SPANS } from './names.ts'
import type { FinishedSpan } from './span.ts'

export interface Origin {
  /** Given, as it is loaded with the rest of the SDK. */
  readonly api: typeof import('@opentelemetry/api')
  readonly resource: ReadableSpan['resource']
  readonly version: string
}

/** A finished span as the SDK's processors read it. */
export function toReadableSpan(
  span: FinishedSpan,
  { api, resource, version }: Origin,
): ReadableSpan {
  const { name, traceId, spanId, parentId, start, end, attributes } = span
  const traceFlags = api.TraceFlags.SAMPLED
  const context = { traceId, spanId, traceFlags }
  const isRemote = name === SPANS.request
  const failed = 'error' in span
  return {
    name,
    kind: api.SpanKind[SPAN_KINDS[name]],
    spanContext: () => context,
    ...(parentId === undefined
      ? {}
      : { parentSpanContext: { traceId, spanId: parentId, traceFlags, isRemote } }),
    startTime: toHrTime(start),
    endTime: toHrTime(end),
    duration: toHrTime(Math.max(0, end - start)),
    status: failed
      ? { code: api.SpanStatusCode.ERROR, message: messageOf(span.error) }
      : { code: api.SpanStatusCode.UNSET },
    attributes: failed ? { ...attributes, 'error.type': typeOf(span.error) } : { ...attributes },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'toolgate', version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Seconds and nanoseconds. */
function toHrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000)
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)]
}

/** Low in cardinality: an error code or the name of a class. */
function typeOf(error: unknown): string {
  if (error instanceof ToolgateError) return error.code
  return error instanceof Error ? error.name : typeof error
}

function messageOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).slice(0, 256)
}
