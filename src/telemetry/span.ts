import type { SpanName } from './names.ts'
import type { Attributes, Span } from './telemetry.ts'
import { parseTraceparent, randomHex, writeTraceparent } from './trace-context.ts'

/** A span that ended and is sampled. Times are milliseconds since the epoch. */
export interface FinishedSpan {
  readonly name: SpanName
  readonly traceId: string
  readonly spanId: string
  /** Absent at the root of a trace. */
  readonly parentId?: string
  readonly start: number
  readonly end: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Present when it failed. */
  readonly error?: unknown
}

/** Where sampled spans go. */
export interface SpanSink {
  /** Share of new traces that is sampled, 0 to 1. */
  readonly sample: number
  push(span: FinishedSpan): void
}

/**
 * Starts a span below `parent`. Whoever began the trace decides whether it is sampled; a new one
 * is sampled by its share, and never where nothing is exported.
 */
export function startSpan(
  sink: SpanSink | null,
  name: SpanName,
  parent?: string,
  attributes?: Attributes,
): Span {
  const above = parseTraceparent(parent)
  const traceId = above?.traceId ?? randomHex(16)
  const spanId = randomHex(8)
  const sampled = above?.sampled ?? (sink !== null && isSampled(traceId, sink.sample))
  const traceparent = writeTraceparent({ traceId, spanId, sampled })
  if (sink === null || !sampled) return new SilentSpan(traceId, traceparent)
  const beginning = { name, traceId, spanId, parentId: above?.spanId, attributes }
  return new SampledSpan(sink, beginning, traceparent)
}

/** The same trace gets the same answer everywhere; the last 6 bytes are random in every version. */
function isSampled(traceId: string, share: number): boolean {
  return share >= 1 || Number.parseInt(traceId.slice(-12), 16) < share * 2 ** 48
}

class SilentSpan implements Span {
  readonly traceId: string
  readonly traceparent: string

  constructor(traceId: string, traceparent: string) {
    this.traceId = traceId
    this.traceparent = traceparent
  }

  set(): void {}

  end(): void {}
}

interface Beginning {
  readonly name: SpanName
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly attributes: Attributes | undefined
}

class SampledSpan implements Span {
  readonly traceId: string
  readonly traceparent: string
  readonly #sink: SpanSink
  readonly #beginning: Beginning
  readonly #start = now()
  readonly #attributes: Record<string, string | number | boolean>
  #ended = false

  constructor(sink: SpanSink, beginning: Beginning, traceparent: string) {
    this.traceId = beginning.traceId
    this.traceparent = traceparent
    this.#sink = sink
    this.#beginning = beginning
    this.#attributes = { ...beginning.attributes }
  }

  set(name: string, value: string | number | boolean): void {
    this.#attributes[name] = value
  }

  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const { name, traceId, spanId, parentId } = this.#beginning
    this.#sink.push({
      name,
      traceId,
      spanId,
      ...(parentId === undefined ? {} : { parentId }),
      start: this.#start,
      end: now(),
      attributes: this.#attributes,
      ...(error === undefined ? {} : { error }),
    })
  }
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
