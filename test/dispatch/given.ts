import type { Call } from '../../src/call/call.ts'
import type { Link } from '../../src/call/link.ts'
import type { Config } from '../../src/config/config.ts'
import type { Visit } from '../../src/dispatch/parked.ts'
import type { JsonObject, Message } from '../../src/protocol/message.ts'
import { requestMessage, resultMessage } from '../../src/protocol/read.ts'

export const ALL = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} }
export const FORM = { method: 'elicitation/create', params: { message: 'Who are you?' } }

export function configWith(changes: {
  readonly timeouts?: Partial<Config['timeouts']>
  readonly sessions?: Partial<Config['sessions']>
}): Config {
  return {
    timeouts: { call: 60_000, ask: 60_000, start: 60_000, ...changes.timeouts },
    sessions: { parked: 16, max: 1000, ...changes.sessions },
  } as Config
}

export interface LinkGiven {
  /** Null: an anonymous caller. */
  readonly caller?: string | null
  readonly tool?: string
  readonly timeout?: number
  readonly more?: Partial<Link>
}

export function linkOf({ caller = 'ann', tool = 'box', timeout, more }: LinkGiven = {}): Link {
  const anonymous = caller === null
  return {
    id: 'link',
    kind: 'request',
    tool: { name: tool, version: 'v1', timeout: timeout ?? null } as Link['tool'],
    caller: { id: caller ?? 'anonymous', anonymous, roles: [], scopes: [] },
    era: 'modern',
    capabilities: ALL,
    deliver: () => {},
    pressure: () => undefined,
    ended: () => {},
    ...more,
  }
}

export interface GivenVisit extends Visit {
  readonly seen: Message[]
  leave(): void
}

export function visitOf(id: string | number = 1, meta: JsonObject = {}): GivenVisit {
  const controller = new AbortController()
  const seen: Message[] = []
  return {
    request: requestMessage(id, 'tools/call', { name: 'go', _meta: meta }),
    trace: { entrance: 'modern', requestId: 'r1' },
    signal: controller.signal,
    notify: (message) => void seen.push(message),
    seen,
    leave: () => controller.abort(),
  }
}

export function resultOf(call: Call, value: unknown): Message {
  return resultMessage(call.request.id ?? 0, value)
}
