import type { ServerResponse } from 'node:http'

/** Names and values in turn: on every answer, whatever it is. */
export const SECURITY_HEADERS: readonly string[] = [
  'Strict-Transport-Security',
  'max-age=31536000; includeSubDomains',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options',
  'nosniff',
  'X-Frame-Options',
  'DENY',
  'Referrer-Policy',
  'no-referrer',
]

export function setSecurityHeaders(res: ServerResponse, requestId: string): void {
  for (let i = 0; i < SECURITY_HEADERS.length; i += 2) {
    res.setHeader(SECURITY_HEADERS[i] as string, SECURITY_HEADERS[i + 1] as string)
  }
  res.setHeader('X-Request-Id', requestId)
}
