/** One event that may be asked for again. */
export interface StoredEvent {
  readonly stream: number
  readonly sequence: number
  readonly data: Uint8Array
}

/**
 * The last events of a session, for `Last-Event-ID`. Bounded in number and bytes: the oldest go
 * first, and what alone is over the bound is not kept.
 */
export class EventStore {
  readonly #most: number
  readonly #bytes: number
  #events: StoredEvent[] = []
  #held = 0
  /** Per stream, the highest sequence that was let go. */
  readonly #lost = new Map<number, number>()

  constructor(most: number, bytes: number) {
    this.#most = most
    this.#bytes = bytes
  }

  add(event: StoredEvent): void {
    if (event.data.length > this.#bytes) {
      this.#lose(event)
      return
    }
    this.#events.push(own(event))
    this.#held += event.data.length
    let gone = 0
    while (this.#events.length - gone > this.#most || this.#held > this.#bytes) {
      const oldest = this.#events[gone++] as StoredEvent
      this.#held -= oldest.data.length
      this.#lose(oldest)
    }
    if (gone > 0) this.#events = this.#events.slice(gone)
  }

  /** What was sent on a stream after `sequence`; undefined when some of it is lost. */
  after(stream: number, sequence: number): StoredEvent[] | undefined {
    return (this.#lost.get(stream) ?? -1) > sequence ? undefined : this.kept(stream, sequence)
  }

  /** What of it is kept. */
  kept(stream: number, sequence: number): StoredEvent[] {
    return this.#events.filter((event) => event.stream === stream && event.sequence > sequence)
  }

  /** True when anything of the stream is kept. */
  has(stream: number): boolean {
    return this.#events.some((event) => event.stream === stream)
  }

  #lose({ stream, sequence }: StoredEvent): void {
    this.#lost.set(stream, sequence)
    if (this.#lost.size <= LOST_STREAMS) return
    const [oldest] = this.#lost.keys()
    this.#lost.delete(oldest as number)
  }
}

const LOST_STREAMS = 1024

/** A short line is a view of the long chunk it came in, which must not be kept with it. */
function own(event: StoredEvent): StoredEvent {
  const { data } = event
  if (data.buffer.byteLength <= 2 * data.length) return event
  return { ...event, data: Buffer.from(data) }
}
