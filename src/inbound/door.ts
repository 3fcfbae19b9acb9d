import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallTrace } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'

/** One HTTP request past the door: who asks, and what its answer must carry. */
export interface Visit {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly caller: Caller
  readonly trace: CallTrace
  /** Header names and values in turn, which every answer carries. */
  readonly headers: readonly string[]
}

/** Answers a visit with a status and a JSON body in one write. */
export function answerJson(
  visit: Pick<Visit, 'res' | 'headers'>,
  status: number,
  body: Uint8Array | string,
  more: readonly string[] = [],
): void {
  const { res } = visit
  if (res.headersSent || res.destroyed) return
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  res.writeHead(status, [
    ...visit.headers,
    ...more,
    'Content-Type',
    'application/json',
    'Content-Length',
    String(length),
  ])
  res.end(body)
}

/** Answers without a body. */
export function answerEmpty(visit: Visit, status: number, more: readonly string[] = []): void {
  const { res } = visit
  if (res.headersSent || res.destroyed) return
  const length = status === 204 ? [] : ['Content-Length', '0']
  res.writeHead(status, [...visit.headers, ...more, ...length])
  res.end()
}
