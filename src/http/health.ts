import type { IncomingMessage, ServerResponse } from 'node:http'
import { ToolgateError } from '../errors.ts'
import { pathOf } from './path-of.ts'
import { sendProblem } from './problem.ts'

/** How the gateway is, now. */
export interface Health {
  readonly version: string
  /** Seconds since start. */
  readonly uptime: number
  /** Why it cannot serve, such as `shutting down` or `the tools folder is not yet read`. */
  readonly reasons: readonly string[]
  /** How many tools are in each state. */
  readonly tools: Readonly<Record<string, number>>
  readonly sessions: number
  readonly instances: number
  readonly components: Readonly<Record<string, Component>>
}

export interface Component {
  readonly status: 'up' | 'down'
  /** While a needed component is down the gateway is not ready. */
  readonly needed: boolean
  readonly detail?: string
}

/** Answered to anyone, before the caller is known. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/ready'])

/**
 * Answers `/healthz` (200 while the process lives), `/ready` (200, or 503 with the reasons) and
 * `/health` (the detail, with the status of `/ready`; only for a known caller).
 */
export function answerHealth(
  req: IncomingMessage,
  res: ServerResponse,
  health: () => Health,
  requestId?: string,
): void {
  const path = pathOf(req)
  const facts = { path, ...(requestId !== undefined && { requestId }) }
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    const message = 'Health is read with GET or HEAD.'
    const data = { allow: ['GET', 'HEAD'] }
    sendProblem(res, new ToolgateError('method_not_allowed', message, { data }), facts)
    return
  }
  if (path === '/healthz') {
    answer(res, 200, { status: 'alive' })
    return
  }
  const now = health()
  const reasons = whyNotReady(now)
  const status = reasons.length === 0 ? 'ready' : 'unavailable'
  if (path === '/health') {
    answer(res, reasons.length === 0 ? 200 : 503, { status, ...now, reasons })
    return
  }
  if (reasons.length === 0) {
    answer(res, 200, { status })
    return
  }
  const message = `The gateway is not ready: ${reasons.join('; ')}.`
  const options = { retryAfter: 1, data: { reasons } }
  sendProblem(res, new ToolgateError('unavailable', message, options), facts)
}

function whyNotReady(health: Health): string[] {
  const down = Object.entries(health.components)
    .filter(([, component]) => component.needed && component.status === 'down')
    .map(([name, { detail }]) => `${name} is down${detail === undefined ? '' : `: ${detail}`}`)
  return [...health.reasons, ...down]
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  res.statusCode = status
  res.setHeader('Content-Type', 'application/json')
  res.setHeader('Content-Length', Buffer.byteLength(text))
  res.setHeader('Cache-Control', 'no-store')
  res.end(text)
}
