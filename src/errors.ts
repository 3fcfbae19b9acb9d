/**
 * The one table of errors: what a stranger is told, and with which status on each wire.
 * `docs/errors.md` is checked against it in both directions.
 */
export const ERRORS = {
  bad_request: { status: 400, rpc: -32600, title: 'The request is malformed' },
  parse_error: { status: 400, rpc: -32700, title: 'The body is not JSON' },
  invalid_params: { status: 400, rpc: -32602, title: 'A parameter is wrong' },
  invalid_meta: { status: 400, rpc: -32602, title: 'The request says too little of itself' },
  header_mismatch: { status: 400, rpc: -32020, title: 'A header differs from the body' },
  missing_capability: { status: 400, rpc: -32021, title: 'The client cannot answer what is asked' },
  unsupported_version: { status: 400, rpc: -32022, title: 'The protocol version is not supported' },
  invalid_name: { status: 400, rpc: -32600, title: 'The name is not allowed' },
  unauthorized: { status: 401, rpc: -32001, title: 'Authentication is needed' },
  forbidden: { status: 403, rpc: -32003, title: 'The caller may not do this' },
  forbidden_host: { status: 403, rpc: -32003, title: 'The Host or Origin is not allowed' },
  not_found: { status: 404, rpc: -32601, title: 'There is no such route' },
  unknown_method: { status: 404, rpc: -32601, title: 'There is no such method' },
  unknown_tool: { status: 404, rpc: -32601, title: 'There is no such tool' },
  unknown_function: { status: 404, rpc: -32602, title: 'The tool has no such function' },
  unknown_session: { status: 404, rpc: -32001, title: 'The session is unknown or has ended' },
  method_not_allowed: { status: 405, rpc: -32600, title: 'The method is not allowed here' },
  not_acceptable: { status: 406, rpc: -32600, title: 'No acceptable answer can be made' },
  conflict: { status: 409, rpc: -32600, title: 'The request is in conflict with another' },
  input_required: { status: 409, rpc: -32602, title: 'The function asks for input' },
  payload_too_large: { status: 413, rpc: -32600, title: 'The body is over the limit' },
  unsupported_media_type: { status: 415, rpc: -32600, title: 'The media type is not supported' },
  function_failed: { status: 422, rpc: -32603, title: 'The function reported an error' },
  rate_limited: { status: 429, rpc: -32009, title: 'Too many calls' },
  headers_too_large: { status: 431, rpc: -32600, title: 'The headers are over the limit' },
  out_of_scope: { status: 404, rpc: -32011, title: 'The function is outside this scope' },
  internal: { status: 500, rpc: -32603, title: 'Something went wrong inside the gateway' },
  tool_gone: { status: 502, rpc: -32010, title: 'The tool ended before it answered' },
  tool_failed_to_start: { status: 502, rpc: -32012, title: 'The tool could not be started' },
  tool_error: { status: 502, rpc: -32603, title: 'The tool answered with an error' },
  tool_misbehaved: { status: 502, rpc: -32013, title: 'The tool broke the protocol' },
  not_learned: { status: 503, rpc: -32014, title: 'The tool is not ready yet' },
  unavailable: { status: 503, rpc: -32014, title: 'The gateway cannot serve this now' },
  no_cell: { status: 503, rpc: -32017, title: 'The tool cannot be isolated on this host' },
  queue_full: { status: 429, rpc: -32018, title: 'Too many wait for the tool' },
  shutting_down: { status: 503, rpc: -32015, title: 'The gateway is shutting down' },
  timeout: { status: 504, rpc: -32016, title: 'The call took longer than its limit' },
  cancelled: { status: 499, rpc: -32800, title: 'The call was cancelled' },
} as const satisfies Record<string, ErrorRow>

interface ErrorRow {
  /** HTTP status. */
  readonly status: number
  /** JSON-RPC error code. */
  readonly rpc: number
  readonly title: string
}

export type ErrorCode = keyof typeof ERRORS

export interface ErrorOptions {
  /** Kept for the log, never sent out. */
  cause?: unknown
  /** Seconds to wait before trying again; becomes `Retry-After`. */
  retryAfter?: number
  /** Facts a stranger may see: field names, limits, expected forms. */
  data?: Record<string, unknown>
}

/** An error whose `message` may be shown to a stranger. Everything else becomes `internal`. */
export class ToolgateError extends Error {
  override readonly name = 'ToolgateError'
  readonly code: ErrorCode
  readonly retryAfter: number | undefined
  readonly data: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfter = options.retryAfter
    this.data = options.data
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get rpc(): number {
    return ERRORS[this.code].rpc
  }
}

/** Any thrown value as an error that is safe to show; the original stays as its `cause`. */
export function toToolgateError(thrown: unknown): ToolgateError {
  if (thrown instanceof ToolgateError) return thrown
  return new ToolgateError('internal', 'Something went wrong inside the gateway.', {
    cause: thrown,
  })
}
