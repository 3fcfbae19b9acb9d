import type { IncomingMessage } from 'node:http'
import { ToolgateError } from '../errors.ts'

/**
 * The whole body, at most `limit` bytes. Rejects with `payload_too_large`, or `bad_request` when
 * the client went away before its end.
 */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge(limit))
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let length = 0
    req.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > limit) {
        // The rest is read and thrown away, so that the client gets to read the answer.
        req.removeAllListeners('data').resume()
        reject(tooLarge(limit))
      } else if (first === undefined) first = chunk
      else if (rest === undefined) rest = [first, chunk]
      else rest.push(chunk)
    })
    req.on('end', () => {
      resolve(rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest, length))
    })
    req.on('error', (cause) => reject(broken(cause)))
    req.on('close', () => {
      if (!req.complete) reject(broken(undefined))
    })
  })
}

const EMPTY = Buffer.alloc(0)

function tooLarge(limit: number): ToolgateError {
  const message = `The body is over ${limit} bytes (sizes.body).`
  return new ToolgateError('payload_too_large', message, { data: { limit } })
}

function broken(cause: unknown): ToolgateError {
  return new ToolgateError('bad_request', 'The body ended before it was complete.', { cause })
}
