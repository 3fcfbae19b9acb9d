import { writeHead, writeSample } from './exposition.ts'
import { METRICS, type MetricRow } from './names.ts'

/** What the process itself says of its health, as Prometheus text. Read only when scraped. */
export async function writeProcess(): Promise<string> {
  const lag = await timerLag()
  const { user, system } = process.cpuUsage()
  const { active } = performance.eventLoopUtilization()
  return [
    one(METRICS.cpu, (user + system) / 1e6),
    one(METRICS.memory, process.memoryUsage.rss()),
    one(METRICS.started, Math.round(performance.timeOrigin) / 1000),
    one(METRICS.loopLag, lag),
    one(METRICS.loopActive, active / 1000),
    writeHead(METRICS.handles),
    ...resources(),
  ].join('')
}

function one(row: MetricRow, value: number): string {
  return writeHead(row) + writeSample(row.name, {}, value)
}

/** Seconds between the moment a timer was due and the moment it fired. */
function timerLag(): Promise<number> {
  const due = performance.now() + 1
  return new Promise((resolve) => {
    setTimeout(() => resolve(Math.max(0, performance.now() - due) / 1000), 1)
  })
}

function resources(): string[] {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts].map(([type, count]) => writeSample(METRICS.handles.name, { type }, count))
}
