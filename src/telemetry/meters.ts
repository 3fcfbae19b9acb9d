import { writeHead, writeSample } from './exposition.ts'
import { METRICS } from './names.ts'
import { writeProcess } from './process-samples.ts'
import { Counter, Durations } from './series.ts'
import type { GaugeName, Meters } from './telemetry.ts'

/**
 * The gateway's own counts as plain numbers, written as Prometheus text when scraped; why there is
 * no SDK is in `docs/decisions/metrics.md`.
 */
export function createMeters(version: string): Meters {
  return new PlainMeters(version)
}

class PlainMeters implements Meters {
  readonly #version: string
  readonly #requests = new Counter(METRICS.requests, ['tool', 'entrance', 'outcome'])
  readonly #duration = new Durations(METRICS.duration, CALL_BOUNDS)
  readonly #authFailures = new Counter(METRICS.authFailures, ['reason'])
  readonly #rateLimited = new Counter(METRICS.rateLimited, ['tool'])
  readonly #routingErrors = new Counter(METRICS.routingErrors, ['reason'])
  readonly #spawns = new Counter(METRICS.spawns, ['tool', 'outcome'])
  readonly #spawnDuration = new Durations(METRICS.spawnDuration, SPAWN_BOUNDS)
  readonly #reaped = new Counter(METRICS.reaped, ['tool'])
  readonly #egress = new Counter(METRICS.egress, ['tool', 'outcome'])
  readonly #gauges = new Map<GaugeName, Read[]>()

  constructor(version: string) {
    this.#version = version
  }

  call(tool: string, entrance: string, outcome: string, milliseconds?: number): void {
    this.#requests.add(tool, entrance, outcome)
    if (milliseconds !== undefined) this.#duration.record(tool, milliseconds / 1000)
  }

  rateLimited(tool: string): void {
    this.#rateLimited.add(tool)
  }

  authFailed(reason: string): void {
    this.#authFailures.add(reason)
  }

  routingError(reason: string): void {
    this.#routingErrors.add(reason)
  }

  spawned(tool: string, outcome: 'ok' | 'failed', milliseconds: number): void {
    this.#spawns.add(tool, outcome)
    if (outcome === 'ok') this.#spawnDuration.record(tool, milliseconds / 1000)
  }

  reaped(tool: string): void {
    this.#reaped.add(tool)
  }

  egress(tool: string, outcome: string): void {
    this.#egress.add(tool, outcome)
  }

  gauge(name: GaugeName, read: Read): void {
    this.#gauges.set(name, [...(this.#gauges.get(name) ?? []), read])
  }

  async scrape(): Promise<string> {
    const process = await writeProcess()
    return [
      this.#requests.write(),
      this.#duration.write(),
      ...GAUGES.map((name) => this.#writeGauge(name)),
      this.#authFailures.write(),
      this.#rateLimited.write(),
      this.#routingErrors.write(),
      this.#spawns.write(),
      this.#spawnDuration.write(),
      this.#reaped.write(),
      this.#egress.write(),
      writeHead(METRICS.build) + writeSample(METRICS.build.name, { version: this.#version }, 1),
      process,
    ].join('')
  }

  #writeGauge(name: GaugeName): string {
    const row = METRICS[name]
    const byTool = new Map<string, number>()
    let sum = 0
    for (const read of this.#gauges.get(name) ?? []) {
      for (const [tool, value] of read()) {
        byTool.set(tool, (byTool.get(tool) ?? 0) + value)
        sum += value
      }
    }
    if (!BY_TOOL.has(name)) return writeHead(row) + writeSample(row.name, {}, sum)
    const samples = [...byTool].map(([tool, value]) => writeSample(row.name, { tool }, value))
    return writeHead(row) + samples.join('')
  }
}

type Read = () => Iterable<readonly [tool: string, value: number]>

const GAUGES = [
  'in_flight',
  'parked',
  'listens',
  'connections',
  'sessions',
  'instances',
  'spares',
  'queued',
] as const
const BY_TOOL: ReadonlySet<GaugeName> = new Set(['instances', 'spares', 'queued'])

/** Seconds. */
const CALL_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]
const SPAWN_BOUNDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
