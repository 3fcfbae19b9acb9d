import type { Logger } from './log.ts'
import type { SpanName } from './names.ts'

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** One span. `traceparent` is what is passed on to whatever is called below it. */
export interface Span {
  readonly traceId: string
  readonly traceparent: string
  set(name: string, value: string | number | boolean): void
  /** Ends it, once; with an error it is marked failed. */
  end(error?: unknown): void
}

/** What every room is given to be seen with. */
export interface Telemetry {
  readonly log: Logger
  readonly meters: Meters
  /**
   * Starts a span below `parent` (a W3C `traceparent`; absent or malformed: a new trace). Costs
   * next to nothing when nothing is exported, but always has a valid `traceparent`.
   */
  span(name: SpanName, parent?: string, attributes?: Attributes): Span
  /** Flushes and stops what exports, within a bound of its own. */
  close(): Promise<void>
}

/** Counters on the hot path: plain calls, no allocation where it can be helped. */
export interface Meters {
  /** One finished call. `outcome` is `ok` or an error code. */
  /** `milliseconds` is absent for a listen, which lasts as long as its client wants. */
  call(tool: string, entrance: string, outcome: string, milliseconds?: number): void
  rateLimited(tool: string): void
  authFailed(reason: string): void
  routingError(reason: string): void
  spawned(tool: string, outcome: 'ok' | 'failed', milliseconds: number): void
  /** One process that a dead gateway left; `tool` is empty where it was started for none. */
  reaped(tool: string): void
  /** What a tool asked of the egress proxy. `outcome` is `ok` or why it was refused. */
  egress(tool: string, outcome: string): void
  /** Numbers that are read when scraped: sessions, instances, calls in flight. */
  gauge(name: GaugeName, read: () => Iterable<readonly [tool: string, value: number]>): void
  /** Prometheus text. */
  scrape(): Promise<string>
}

export type GaugeName =
  | 'sessions'
  | 'instances'
  | 'spares'
  | 'queued'
  | 'in_flight'
  | 'parked'
  | 'listens'
  | 'connections'
