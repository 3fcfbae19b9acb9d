/** How far a pull is. */
export interface Pulled {
  readonly layers: number
  readonly done: number
  /** Bytes that have come of the layers that are on their way. */
  readonly bytes: number
}

/** Reads what an engine tells of a pull, one JSON object a line, and passes on a little of it. */
export class PullProgress {
  /** What went wrong, in the engine's words. */
  error: string | undefined
  readonly #tell: (pulled: Pulled) => void
  readonly #layers = new Map<string, { done: boolean; bytes: number }>()
  #rest = ''
  #told = performance.now()

  constructor(tell: (pulled: Pulled) => void) {
    this.#tell = tell
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n')
    this.#rest = (lines.pop() ?? '').slice(-MOST)
    for (const line of lines) this.#line(line)
    if (performance.now() - this.#told < PAUSE) return
    this.#told = performance.now()
    const layers = [...this.#layers.values()]
    const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0)
    this.#tell({ layers: layers.length, done: layers.filter(({ done }) => done).length, bytes })
  }

  #line(line: string): void {
    const { id, status, error, progressDetail } = parse(line)
    if (typeof error === 'string') this.error = error.replace(/\s+/g, ' ').slice(0, 500)
    if (typeof id !== 'string' || typeof status !== 'string' || this.#layers.size >= LAYERS) return
    if (/^Pulling from|^Digest|^Status/.test(status)) return
    const before = this.#layers.get(id)?.bytes ?? 0
    const current = status === 'Downloading' ? Number(progressDetail?.current ?? 0) : 0
    const done = /^(Pull complete|Already exists)$/.test(status)
    this.#layers.set(id, { done, bytes: Math.max(before, current) })
  }
}

interface Line {
  readonly id?: unknown
  readonly status?: unknown
  readonly error?: unknown
  readonly progressDetail?: { readonly current?: unknown }
}

function parse(line: string): Line {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Milliseconds between two lines of the log. */
const PAUSE = 5_000
const MOST = 64 * 2 ** 10
const LAYERS = 512
