import type { ServerResponse } from 'node:http'
import { ERRORS, type ErrorCode, ToolgateError, toToolgateError } from '../errors.ts'
import { holdUnsent } from '../inbound/unsent.ts'

/** What a problem says of its request. */
export interface ProblemFacts {
  /** Path without the query. */
  readonly path?: string
  readonly requestId?: string
}

/** RFC 9457 from anything thrown; what is not known to be safe to show becomes `internal`. */
export function problemOf(thrown: unknown, facts: ProblemFacts = {}): Record<string, unknown> {
  const error = known(thrown)
  const { allow: _header, ...data } = error.data ?? {}
  return {
    ...data,
    type: `urn:toolgate:error:${error.code}`,
    title: ERRORS[error.code].title,
    status: error.status,
    detail: error.message,
    ...(facts.path !== undefined && { instance: facts.path.slice(0, 500) }),
    code: error.code,
    ...(facts.requestId !== undefined && { requestId: facts.requestId }),
  }
}

/**
 * Answers with a problem and the headers that belong to it; does nothing once it is too late. Cuts
 * the connection where too much that was answered is unread already.
 */
export function sendProblem(res: ServerResponse, thrown: unknown, facts: ProblemFacts = {}): void {
  if (res.destroyed) return
  if (res.headersSent) {
    res.destroy()
    return
  }
  const error = known(thrown)
  const text = JSON.stringify(problemOf(error, facts))
  const length = Buffer.byteLength(text)
  if (!holdUnsent(res, length)) {
    res.destroy()
    return
  }
  res.statusCode = error.status
  res.removeHeader('ETag')
  res.setHeader('Content-Type', 'application/problem+json')
  res.setHeader('Content-Length', length)
  res.setHeader('Cache-Control', 'no-store')
  for (const [name, value] of headersOf(error)) res.setHeader(name, value)
  res.end(text)
}

function* headersOf(error: ToolgateError): Iterable<[string, string]> {
  if (error.status === 401) yield ['WWW-Authenticate', 'Bearer realm="toolgate"']
  const wait = error.retryAfter ?? (error.status === 503 ? 1 : undefined)
  if (wait !== undefined) yield ['Retry-After', String(Math.max(1, Math.ceil(wait)))]
  const allow = error.data?.allow
  if (Array.isArray(allow)) yield ['Allow', allow.join(', ')]
}

/** The thrown value as one of ours; `internal` keeps the original as its cause. */
export function known(thrown: unknown): ToolgateError {
  if (thrown instanceof ToolgateError) return thrown
  if (!(thrown instanceof Error)) return toToolgateError(thrown)
  return fromBodyParser(thrown) ?? fromValidator(thrown) ?? fromExpress(thrown)
}

/** What `express.json` throws carries a `type`. */
function fromBodyParser(error: Error & Foreign): ToolgateError | undefined {
  const options = { cause: error }
  switch (error.type) {
    case 'entity.too.large': {
      const message = `The body is over ${error.limit} bytes (sizes.body).`
      const data = { limit: error.limit }
      return new ToolgateError('payload_too_large', message, { ...options, data })
    }
    case 'charset.unsupported':
      return new ToolgateError(
        'unsupported_media_type',
        'The charset is not supported; JSON is in UTF-8.',
        options,
      )
    case 'encoding.unsupported': {
      const message = 'The Content-Encoding is not supported; gzip, deflate and br are.'
      return new ToolgateError('unsupported_media_type', message, options)
    }
    case 'request.aborted':
      return new ToolgateError('cancelled', 'The client went away.', options)
    case 'request.size.invalid':
      return new ToolgateError('bad_request', 'The body is not of its Content-Length.', options)
    default:
      return undefined
  }
}

/** What express-openapi-validator throws carries a status and a list of errors. */
function fromValidator(error: Error & Foreign): ToolgateError | undefined {
  if (!Array.isArray(error.errors)) return undefined
  const options = { cause: error }
  switch (error.status) {
    case 400: {
      const errors = error.errors.slice(0, 20).map(fieldError)
      const message = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
      return new ToolgateError('invalid_params', `${message}.`, { ...options, data: { errors } })
    }
    case 404:
      return new ToolgateError('not_found', 'There is no such route. See /docs.', options)
    case 405: {
      const allow = (error.headers?.Allow ?? '').split(', ').filter((method) => method !== '')
      const data = { allow: allow.includes('GET') ? [...allow, 'HEAD'] : allow }
      const message = `Only ${data.allow.join(' and ')} is allowed here.`
      return new ToolgateError('method_not_allowed', message, { ...options, data })
    }
    case 415:
      return new ToolgateError('unsupported_media_type', 'Send application/json.', options)
    default:
      return undefined
  }
}

/** The one expression in the static operations, in words. */
const TOOL_NAME = '1 to 64 of A-Z, a-z, 0-9, _ and -, without "__"'

function fieldError(error: { path?: unknown; message?: unknown }) {
  const message = String(error.message ?? 'is wrong').slice(0, 300)
  const path = String(error.path ?? '/').slice(0, 300)
  if (path === '/params/tool' && message.startsWith('must match pattern')) {
    return { path, message: 'is no name of a tool', expected: TOOL_NAME }
  }
  const expected = /^must be (.{1,200})$/.exec(message)?.[1]
  return { path, message, ...(expected !== undefined && { expected }) }
}

/** Express refuses an escape in a path that it cannot decode with a status of its own. */
function fromExpress(error: Error & Foreign): ToolgateError {
  const code: ErrorCode | undefined = error.status === 400 ? 'bad_request' : undefined
  if (code === undefined) return toToolgateError(error)
  return new ToolgateError(code, 'The request is malformed.', { cause: error })
}

interface Foreign {
  readonly type?: unknown
  readonly status?: unknown
  readonly limit?: unknown
  readonly errors?: unknown
  readonly headers?: { readonly Allow?: string }
}
