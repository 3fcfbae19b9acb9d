import { randomUUID } from 'node:crypto'
import type { SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Logger } from './log.ts'
import { EVENTS } from './names.ts'
import { toReadableSpan } from './readable-span.ts'
import type { FinishedSpan, SpanSink } from './span.ts'

export interface TraceExport extends SpanSink {
  /** Sends what is left, within two seconds. */
  close(): Promise<void>
}

export interface TraceExportOptions {
  /** OTLP/HTTP base URL, such as `http://127.0.0.1:4318`. */
  readonly endpoint: string
  readonly sample: number
  readonly version: string
  readonly log: Logger
  /** Milliseconds from the first span to loading what exports; it costs 100 ms and 15 MB. */
  readonly loadAfter?: number
}

/**
 * Sends sampled spans to a collector in the background. Spans that end before the SDK is loaded
 * are kept, at most `QUEUE`; a collector that is slow or away costs the spans past the queue and
 * one warning a minute.
 */
export function createTraceExport(options: TraceExportOptions): TraceExport {
  return new Export(options)
}

class Export implements TraceExport {
  readonly sample: number
  readonly #options: TraceExportOptions
  #early: FinishedSpan[] = []
  #load: NodeJS.Timeout | undefined
  #loading: Promise<Loaded | undefined> | undefined
  #loaded: Loaded | undefined
  #closed = false

  constructor(options: TraceExportOptions) {
    this.sample = options.sample
    this.#options = options
  }

  push(span: FinishedSpan): void {
    if (this.#closed) return
    if (this.#loaded !== undefined) this.#loaded.push(span)
    else if (this.#early.length < QUEUE) this.#early.push(span)
    this.#load ??= setTimeout(() => void this.#start(), this.#options.loadAfter ?? 1000).unref()
  }

  async close(): Promise<void> {
    clearTimeout(this.#load)
    const left = this.#early.length > 0 || this.#loading !== undefined
    const flushed = left || this.#loaded !== undefined ? this.#flush() : Promise.resolve()
    this.#closed = true
    await within(CLOSE, flushed)
  }

  async #flush(): Promise<void> {
    const loaded = await this.#start()
    await loaded?.shutdown()
  }

  /** A failure to load is told once; from then on spans are dropped. */
  #start(): Promise<Loaded | undefined> {
    this.#loading ??= loadSdk(this.#options).then(
      (loaded) => {
        for (const span of this.#early) loaded.push(span)
        this.#early = []
        this.#loaded = loaded
        return loaded
      },
      (err: unknown) => {
        this.#options.log.warn({ err }, EVENTS.exportFailed)
        this.#closed = true
        this.#early = []
        return undefined
      },
    )
    return this.#loading
  }
}

interface Loaded {
  push(span: FinishedSpan): void
  shutdown(): Promise<void>
}

async function loadSdk({ endpoint, version, log }: TraceExportOptions): Promise<Loaded> {
  const [api, core, sdk, otlp, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const exporter = new otlp.OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: TIMEOUT,
    // At the end the whole queue leaves at once, in batches of 512, beside one under way.
    concurrencyLimit: 8,
  })
  const warn = onceAMinute((err: unknown) => log.warn({ err, endpoint }, EVENTS.exportFailed))
  const processor: SpanProcessor = new sdk.BatchSpanProcessor({
    maxQueueSize: QUEUE,
    scheduledDelayMillis: 1000,
    exportTimeoutMillis: TIMEOUT + 500,
    exporter: {
      // The failure is told here and reported as success, or the SDK would tell it again.
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.code !== core.ExportResultCode.SUCCESS) warn(result.error)
          done({ code: core.ExportResultCode.SUCCESS })
        }),
      shutdown: () => exporter.shutdown(),
    },
  })
  const resource = resources.resourceFromAttributes({
    'service.name': 'toolgate',
    'service.version': version,
    'service.instance.id': randomUUID(),
  })
  return {
    push: (span) => processor.onEnd(toReadableSpan(span, { api, resource, version })),
    shutdown: () => processor.shutdown(),
  }
}

function onceAMinute(tell: (err: unknown) => void): (err: unknown) => void {
  let next = 0
  return (err) => {
    if (performance.now() < next) return
    next = performance.now() + MINUTE
    tell(err)
  }
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  // What could not be sent has been told where it failed.
  await Promise.race([work.catch(() => {}), promise])
  clearTimeout(timer)
}

/** Spans kept for a collector that is slow or away. */
const QUEUE = 2048
/** Milliseconds. */
const TIMEOUT = 3000
const CLOSE = 2000
const MINUTE = 60_000
