import { type ToolgateError, toToolgateError } from '../errors.ts'
import type { Message } from '../protocol/message.ts'
import { errorMessage } from '../protocol/read.ts'

/**
 * Errors that are about the exchange itself, or that a proxy should see: come back later. Any other
 * rides on 200 as a JSON-RPC error.
 */
const HTTP_ERRORS = new Set([
  'bad_request',
  'parse_error',
  'invalid_meta',
  'header_mismatch',
  'unsupported_version',
  'unknown_method',
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
  'unavailable',
  'shutting_down',
])

/** What was thrown, as an MCP client is shown it. */
export interface Failure {
  readonly error: ToolgateError
  /** The HTTP status, where that can still be chosen. */
  readonly status: number
  /** Undefined for a cancelled request, which is not answered. */
  readonly message: Message | undefined
}

/** `request`: what it is the answer to, where that could be read. */
export function failureOf(thrown: unknown, request?: Message): Failure {
  const error = toToolgateError(thrown)
  const status = HTTP_ERRORS.has(error.code) ? error.status : 200
  if (error.code === 'cancelled') return { error, status, message: undefined }
  const id = request?.id ?? null
  return { error, status, message: errorMessage(id, error.rpc, error.message, dataOf(error)) }
}

function dataOf({ data, retryAfter }: ToolgateError): Record<string, unknown> | undefined {
  return retryAfter === undefined ? data : { ...data, retryAfter }
}
