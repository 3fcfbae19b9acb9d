import type { LogFields, Logger } from './log.ts'
import { EVENTS } from './names.ts'
import { type Redaction, UNREDACTED } from './redaction.ts'

export interface StderrFields {
  readonly tool: string
  readonly instance: string
  readonly sessionId?: string
}

export interface StderrOptions {
  /** Lines logged in one second; as many may come at once. */
  readonly linesPerSecond?: number
  /** Longer lines are cut. */
  readonly bytesPerLine?: number
  /** Takes the tool's secrets out of its lines. */
  readonly redaction?: Redaction
  /** Fields of the moment, such as the request being served. */
  readonly serving?: () => LogFields | undefined
  /** Milliseconds that only grow. */
  readonly now?: () => number
}

/** Takes stderr as it comes; `end` logs what is left. */
export interface StderrLog {
  (chunk: Uint8Array): void
  end(): void
}

/**
 * Logs what one instance writes to stderr, a line each, in the field `line` and never as the
 * message, which a tool could make look like one of ours. Lines past the rate are counted, and
 * the count is logged once the rate allows.
 */
export function toolStderr(
  log: Logger,
  fields: StderrFields,
  options: StderrOptions = {},
): StderrLog {
  const lines = new StderrLines(log.child({ ...fields, stream: 'stderr' }), options)
  const push = ({ buffer, byteOffset, byteLength }: Uint8Array): void =>
    lines.push(Buffer.from(buffer, byteOffset, byteLength))
  return Object.assign(push, { end: () => lines.end() })
}

class StderrLines {
  readonly #log: Logger
  readonly #rate: number
  readonly #limit: number
  readonly #redaction: Redaction
  /** What is kept of a line: its limit, and what a secret that begins in it needs. */
  readonly #most: number
  readonly #now: () => number
  readonly #serving: () => LogFields | undefined
  /** The beginning of a line whose end has not come, and how long it is so far. */
  #parts: Buffer[] = []
  #kept = 0
  #length = 0
  #tokens: number
  #filled: number
  #dropped = 0

  constructor(log: Logger, options: StderrOptions) {
    this.#log = log
    this.#rate = options.linesPerSecond ?? 50
    this.#limit = options.bytesPerLine ?? 4096
    this.#redaction = options.redaction ?? UNREDACTED
    this.#most = this.#limit + this.#redaction.reach
    this.#now = options.now ?? (() => performance.now())
    this.#serving = options.serving ?? (() => undefined)
    this.#tokens = this.#rate
    this.#filled = this.#now()
  }

  push(chunk: Buffer): void {
    this.#fill()
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end))
      this.#finish()
      from = end + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
  }

  end(): void {
    this.#finish()
    this.#tokens = 1
    this.#tellDropped()
  }

  #keep(part: Buffer): void {
    this.#length += part.length
    const room = this.#most - this.#kept
    if (room <= 0 || this.#tokens < 1) return
    // Copied: a slice would hold the whole chunk it came in.
    const kept = Buffer.from(part.subarray(0, room))
    this.#parts.push(kept)
    this.#kept += kept.length
  }

  #finish(): void {
    if (this.#length === 0) return
    // A line whose beginning came while the rate was used up is not worth its end.
    const whole = this.#kept === Math.min(this.#length, this.#most)
    if (this.#tokens < 1 || !whole) this.#dropped += 1
    else {
      this.#tellDropped()
      this.#tokens -= 1
      const bytes = Buffer.concat(this.#parts)
      const line = this.#redaction.text(bytes, this.#limit).replace(/\r$/, '')
      const cut = this.#length > this.#limit ? { cut: this.#length - this.#limit } : {}
      if (line !== '') this.#log.info({ ...this.#serving(), line, ...cut }, EVENTS.stderr)
    }
    this.#parts = []
    this.#kept = 0
    this.#length = 0
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || this.#tokens < 1) return
    this.#log.warn({ dropped: this.#dropped }, EVENTS.stderrDropped)
    this.#dropped = 0
  }

  #fill(): void {
    const now = this.#now()
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#filled) / 1000) * this.#rate)
    this.#filled = now
  }
}
