import type { ServerResponse } from 'node:http'

/**
 * Counts an answer until its client has read it, over all clients. False: so much is unread that
 * this one must not be added; its connection is to be cut. `bytes`: of the body.
 */
export function holdUnsent(res: ServerResponse, bytes: number): boolean {
  if (bytes < SMALL) return true
  if (unsent + bytes > MOST) return false
  unsent += bytes
  res.once('close', () => {
    unsent -= bytes
  })
  return true
}

let unsent = 0

/** Bytes. Below this an answer is bounded by the calls that are open. */
const SMALL = 64 * 1024
const MOST = 256 * 1024 * 1024
