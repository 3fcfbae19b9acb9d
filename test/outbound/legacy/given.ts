import { after } from 'node:test'
import type { Call } from '../../../src/call/call.ts'
import type { SharedHow } from '../../../src/outbound/legacy/how.ts'
import { SharedLegacyConnection } from '../../../src/outbound/legacy-shared.ts'
import { Subscriptions } from '../../../src/outbound/subscriptions.ts'
import type { Logger } from '../../../src/telemetry/log.ts'
import { FakeTool, type Json } from '../modern/given.ts'

export {
  CLIENT,
  call,
  code,
  FakeTool,
  failure,
  type GivenCall,
  type Json,
  linkOf,
  metaOf,
  modern,
  paramsOf,
  session,
} from '../modern/given.ts'

export const SERVER = { name: 'old', version: '1' }

export interface Opened {
  readonly tool: FakeTool
  readonly connection: SharedLegacyConnection
  readonly subscriptions: Subscriptions
  /** How often the tool's lists were said to have changed. */
  readonly changes: { count: number }
  /** Lines of the log. */
  readonly lines: { readonly message: string; readonly fields: Json }[]
  /** What the tool was sent at initialize. */
  readonly initialize: Json
}

export interface OpenOptions extends Partial<SharedHow> {
  /** What the tool offers. */
  readonly tools?: Json
  readonly subscriptions?: Subscriptions
}

/** A connection after its handshake, with a legacy tool by hand. */
export async function open(options: OpenOptions = {}): Promise<Opened> {
  const { tools = { tools: {} }, subscriptions = new Subscriptions(), ...how } = options
  const tool = new FakeTool()
  // What is still open then must not keep the test alive.
  after(() => tool.close('the test is over'))
  const changes = { count: 0 }
  const lines: Opened['lines'] = []
  const line = (fields: Json, message: string) => lines.push({ message, fields })
  const log = { child: () => log, debug() {}, info: line, warn: line, error: line }
  const events = {
    listChanged: () => {
      changes.count += 1
    },
  }
  const connection = new SharedLegacyConnection(
    tool,
    log as unknown as Logger,
    events,
    subscriptions,
    { capabilities: {}, exclusive: false, correlated: false, ...how },
  )
  const handshake = connection.handshake('1.2.3')
  const initialize = await tool.next('initialize')
  const result = { protocolVersion: '2025-11-25', capabilities: tools, serverInfo: SERVER }
  tool.answer(initialize, result)
  await handshake
  await tool.next('notifications/initialized')
  return { tool, connection, subscriptions, changes, lines, initialize }
}

/** A client that is asked by hand: what it is asked, and what it answers in that order. */
export function asked(): {
  readonly ask: NonNullable<Call['ask']>
  readonly requests: Json[]
  answer(result: unknown): void
  refuse(error: Error): void
} {
  const requests: Json[] = []
  const open: { key: string; resolve: (all: Json) => void; reject: (error: Error) => void }[] = []
  return {
    requests,
    ask: (asks) =>
      new Promise((resolve, reject) => {
        requests.push(asks)
        open.push({ key: Object.keys(asks)[0] ?? '', resolve, reject })
      }),
    answer: (result) => {
      const first = open.shift()
      first?.resolve({ [first.key]: result })
    },
    refuse: (error) => open.shift()?.reject(error),
  }
}
