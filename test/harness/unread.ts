import { type ClientRequest, request } from 'node:http'
import type { RawOptions } from './raw.ts'

/** A request whose answer nobody reads. */
export interface Unread {
  /** Settles when the whole request was handed to the system. */
  readonly sent: Promise<void>
  /** Whether an answer has begun. */
  answered(): boolean
  /** Whether the connection is over. */
  closed(): boolean
  /** Breaks the connection. */
  abort(): void
}

/** Sends a request on a connection of its own, and reads nothing of what comes back. */
export function leaveUnread(url: string, { method, headers = {}, body }: RawOptions): Unread {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const sending: ClientRequest = request(url, {
    method: method ?? (payload ? 'POST' : 'GET'),
    agent: false,
    headers: {
      ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
      ...headers,
    },
  })
  let answered = false
  // Someone has to take the response, or Node reads it to its end and throws it away.
  sending.on('response', () => {
    answered = true
  })
  const sent = new Promise<void>((done) => sending.on('finish', done))
  sending.on('error', () => {}).end(payload)
  return {
    sent,
    answered: () => answered,
    closed: () => sending.closed,
    abort: () => void sending.destroy(),
  }
}
