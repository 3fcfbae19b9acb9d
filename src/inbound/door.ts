import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallTrace } from '../call/call.ts'
import type { Caller } from '../call/caller.ts'
import { ToolgateError } from '../errors.ts'
import { holdUnsent } from './unsent.ts'

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
  body: Uint8Array,
  more: readonly string[] = [],
): void {
  const { res } = visit
  if (res.headersSent || res.destroyed) return
  if (!holdUnsent(res, body.length)) {
    res.destroy()
    return
  }
  res.writeHead(status, [
    ...visit.headers,
    ...more,
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
  ])
  // Node writes a string together with the head, in one system call; bytes it would write beside.
  if (body.length <= SMALL) res.end(bytesToString(body), 'latin1')
  else res.end(body)
}

/** Up to here a copy is cheaper than a second buffer in the write. */
const SMALL = 16 * 1024

function bytesToString({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}

/** Throws `unsupported_media_type` where the body is not said to be JSON. */
export function checkContentType({ req }: Visit): void {
  const type = req.headers['content-type'] ?? ''
  if (type === 'application/json' || /^application\/json\s*(;|$)/i.test(type)) return
  throw new ToolgateError('unsupported_media_type', 'Content-Type must be application/json.')
}

/** Answers without a body. */
export function answerEmpty(visit: Visit, status: number, more: readonly string[] = []): void {
  const { res } = visit
  if (res.headersSent || res.destroyed) return
  const length = status === 204 ? [] : ['Content-Length', '0']
  res.writeHead(status, [...visit.headers, ...more, ...length])
  res.end()
}
