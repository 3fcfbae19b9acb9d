import { type ToolgateError, toToolgateError } from '../errors.ts'

/** Errors that are about the exchange itself; any other rides on 200 as a JSON-RPC error. */
const HTTP_ERRORS = new Set([
  'bad_request',
  'parse_error',
  'invalid_name',
  'unauthorized',
  'forbidden',
  'forbidden_host',
  'unknown_tool',
  'unknown_session',
  'method_not_allowed',
  'not_acceptable',
  'payload_too_large',
  'unsupported_media_type',
  'shutting_down',
])

/** A thrown value as it is shown to an MCP client: the error, and the HTTP status it rides on. */
export function failureOf(thrown: unknown): { error: ToolgateError; status: number } {
  const error = toToolgateError(thrown)
  return { error, status: HTTP_ERRORS.has(error.code) ? error.status : 200 }
}
