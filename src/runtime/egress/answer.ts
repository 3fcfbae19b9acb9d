import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Refusal } from './refusal.ts'

/** Says why over a bare socket and ends it, also where the other side keeps it half open. */
export function hangUp(tool: Socket, { status, message }: Refusal): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(refusalHeaders(message)).map(([name, value]) => `${name}: ${value}`),
  ]
  tool.end(`${head.join('\r\n')}\r\n\r\n${message}`)
  tool.resume()
  tool.setTimeout(PATIENCE, () => tool.destroy())
}

export function refusalHeaders(message: string): Record<string, string | number> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(message),
    Connection: 'close',
  }
}

/** Milliseconds. */
const PATIENCE = 5_000
