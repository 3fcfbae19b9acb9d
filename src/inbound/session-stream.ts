import type { Message } from '../protocol/message.ts'
import { encodeEvent, eventParts } from '../protocol/sse.ts'
import type { EventStore, StoredEvent } from './event-store.ts'
import type { EventStream } from './event-stream.ts'

/**
 * One of a session's streams: the server's own (0) or that of one call. It outlives the
 * connections it is sent over: what is written is stored, and sent when one is there.
 */
export class SessionStream {
  readonly id: number
  readonly #store: EventStore
  #sequence = 0
  #sent = 0
  #live: EventStream | undefined
  #finished = false

  constructor(id: number, store: EventStore) {
    this.id = id
    this.#store = store
  }

  get live(): EventStream | undefined {
    return this.#live?.open === true ? this.#live : undefined
  }

  get finished(): boolean {
    return this.#finished
  }

  /** Starts sending over `live`, first what has not been sent, or what came after `last`. */
  attach(live: EventStream, last?: number): void {
    // What its client did not read would be waited for, and hold everything up.
    if (this.#live?.pressure() === undefined) this.#live?.end()
    else this.#live.destroy()
    this.#live = live
    for (const event of this.#store.kept(this.id, last ?? this.#sent)) this.#send(event)
    this.#sent = this.#sequence
    if (this.#finished) live.end()
  }

  /** The priming event: an id to resume from before anything has been said. */
  prime(): void {
    const id = `${this.id}-${this.#sequence}`
    this.#live?.write(encodeEvent({ id, retry: RETRY, data: '' }))
  }

  write({ bytes }: Message): void {
    const event = { stream: this.id, sequence: ++this.#sequence, data: bytes }
    this.#store.add(event)
    if (this.live === undefined) return
    this.#send(event)
    this.#sent = event.sequence
  }

  /** Nothing more will be written. */
  finish(): void {
    this.#finished = true
    this.#live?.end()
  }

  #send({ sequence, data }: StoredEvent): void {
    const event = { id: `${this.id}-${sequence}`, event: 'message', data }
    if (data.length > SMALL) this.#live?.write(...eventParts(event))
    else this.#live?.write(encodeEvent(event))
  }
}

/** Milliseconds a client is asked to wait before it reconnects. */
const RETRY = 1000
/** Up to here one copy is cheaper than three writes. */
const SMALL = 64 * 1024

/** The stream and sequence of a `Last-Event-ID` of ours. */
export function parseEventId(id: string): { stream: number; sequence: number } | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(id)
  if (match === null) return undefined
  return { stream: Number(match[1]), sequence: Number(match[2]) }
}
