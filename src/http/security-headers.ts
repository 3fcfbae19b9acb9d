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
