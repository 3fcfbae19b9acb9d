import assert from 'node:assert/strict'
import type { Call } from '../../../src/call/call.ts'
import type { Link } from '../../../src/call/link.ts'
import { ToolgateError } from '../../../src/errors.ts'
import type { Connection } from '../../../src/outbound/connection.ts'
import { ModernConnection } from '../../../src/outbound/modern.ts'
import { Subscriptions } from '../../../src/outbound/subscriptions.ts'
import type { Message } from '../../../src/protocol/message.ts'
import { META } from '../../../src/protocol/meta.ts'
import { readClientMessage, readToolLine } from '../../../src/protocol/read.ts'
import type { Ending, Pipe } from '../../../src/runtime/pipe.ts'
import type { Logger } from '../../../src/telemetry/log.ts'
import { within } from '../../harness/until.ts'

export type Json = Record<string, unknown>

/** What a tool is sent and says, by hand. */
export class FakeTool implements Pipe {
  readonly closed: Promise<Ending>
  readonly ended: Promise<Ending>
  paused = false
  /** The last line it was sent. */
  lastLine = ''
  readonly #sent: Json[] = []
  #seen = 0
  #look = () => {}
  #reader: (message: Message) => void = () => {}
  #end: (ending: Ending) => void = () => {}
  #gone = false

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
    this.ended = this.closed
  }

  read(reader: (message: Message) => void): void {
    this.#reader = reader
  }

  send(bytes: Uint8Array): void {
    if (this.#gone) throw new ToolgateError('tool_gone', 'The tool is gone: it ended.')
    this.lastLine = Buffer.from(bytes).toString()
    this.#sent.push(JSON.parse(this.lastLine))
    this.#look()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  close(reason: string): Promise<Ending> {
    return this.end(reason, false)
  }

  kill(reason: string): Promise<Ending> {
    return this.end(reason, false)
  }

  end(reason: string, unexpected = true): Promise<Ending> {
    this.#gone = true
    this.#end({ reason, unexpected, exitCode: 1, signal: null })
    return this.closed
  }

  /** The next message that was not looked at yet, of this method; undefined: an answer. */
  async next(method: string | undefined): Promise<Json> {
    const found = new Promise<Json>((resolve) => {
      this.#look = () => {
        const message = this.#sent[this.#seen]
        if (message === undefined) return
        this.#seen += 1
        this.#look = () => {}
        resolve(message)
      }
      this.#look()
    })
    const message = await within(5000, `${method ?? 'an answer'} to the tool`, found)
    assert.equal(message.method, method, JSON.stringify(message))
    return message
  }

  /** What it was sent and nobody looked at. */
  get unseen(): readonly Json[] {
    return this.#sent.slice(this.#seen)
  }

  say(message: Json): void {
    this.line(JSON.stringify({ jsonrpc: '2.0', ...message }))
  }

  line(text: string): void {
    const message = readToolLine(Buffer.from(text))
    assert.ok(message, `no message: ${text}`)
    this.#reader(message)
  }

  answer({ id }: Json, result: unknown): void {
    this.say({ id, result })
  }

  acknowledge({ id, params }: Json, granted = (params as Json).notifications): void {
    this.tell(id, 'notifications/subscriptions/acknowledged', { notifications: granted })
  }

  /** Says something on a listen. */
  tell(id: unknown, method: string, params: Json = {}): void {
    this.say({ method, params: { ...params, _meta: { [META.subscriptionId]: id } } })
  }
}

export interface Opened {
  readonly tool: FakeTool
  readonly connection: ModernConnection
  readonly subscriptions: Subscriptions
  /** How often the tool's lists were said to have changed. */
  readonly changes: { count: number }
  /** Lines of the log. */
  readonly lines: { readonly message: string; readonly fields: Json }[]
}

export interface OpenOptions {
  readonly private?: boolean
  readonly capabilities?: Json
  readonly discover?: Json
  readonly subscriptions?: Subscriptions
}

/** A connection after its handshake; where it listens, that listen is acknowledged. */
export async function open(options: OpenOptions = {}): Promise<Opened> {
  const { capabilities = { tools: {} }, subscriptions = new Subscriptions() } = options
  const opened = unopened(options, subscriptions)
  const { tool, connection } = opened
  const handshake = connection.handshake('1.2.3')
  const result = { supportedVersions: ['2026-07-28'], capabilities, ...options.discover }
  tool.answer(await tool.next('server/discover'), { resultType: 'complete', ...result })
  await handshake
  return opened
}

export function unopened(
  options: OpenOptions = {},
  subscriptions: Subscriptions = new Subscriptions(),
): Opened {
  const tool = new FakeTool()
  const { log, events, lines, changes } = listener()
  const isPrivate = { private: options.private ?? false }
  const connection = new ModernConnection(tool, log, events, subscriptions, isPrivate)
  return { tool, connection, subscriptions, changes, lines }
}

/** A log and a pool that keep what they are told. */
export function listener() {
  const changes = { count: 0 }
  const lines: Opened['lines'] = []
  const keep = (fields: Json, message: string) => lines.push({ message, fields })
  const log: Record<string, unknown> = { debug: () => {}, info: keep, warn: keep, error: keep }
  log.child = () => log
  const events = {
    listChanged: () => {
      changes.count += 1
    },
  }
  return { log: log as unknown as Logger, events, lines, changes }
}

export interface GivenLink extends Link {
  /** What it was delivered outside calls. */
  readonly seen: Json[]
}

let links = 0

export function linkOf(more: Partial<Link> = {}): GivenLink {
  const seen: Json[] = []
  return {
    id: `link-${++links}`,
    kind: 'request',
    tool: { name: 'box', version: 'v1' } as Link['tool'],
    caller: { id: 'ann', anonymous: false, roles: [], scopes: [] },
    era: 'modern',
    capabilities: {},
    deliver: (message) => void seen.push(message.json()),
    pressure: () => undefined,
    ended: () => {},
    seen,
    ...more,
  }
}

export const modern = (more: Partial<Link> = {}) => linkOf(more)
export const session = (more: Partial<Link> = {}) =>
  linkOf({ era: 'legacy', kind: 'session', ...more })
export const alone = (more: Partial<Link> = {}) => linkOf({ era: 'legacy', ...more })

export interface GivenCall extends Call {
  /** The answer as text. */
  readonly text: Promise<string>
  readonly answer: Promise<Json>
  readonly notes: Json[]
}

/** A call on an attached link; the request as its client writes it. */
export function call(
  { connection }: { readonly connection: Connection },
  link: Link,
  request: Json | string,
  ask?: Call['ask'],
): GivenCall {
  connection.attach(link)
  const written =
    typeof request === 'string' ? request : JSON.stringify({ jsonrpc: '2.0', id: 1, ...request })
  const [message] = readClientMessage(written)
  assert.ok(message)
  const notes: Json[] = []
  const made: Call = {
    link,
    request: message,
    trace: { entrance: 'modern', requestId: `request-${String(message.id)}` },
    notify: (note) => void notes.push(note.json()),
    ...(ask !== undefined && { ask }),
  }
  const answered = connection.call(made)
  const text = answered.then(({ bytes }) => Buffer.from(bytes).toString())
  const answer = answered.then((told) => told.json())
  for (const promise of [text, answer]) promise.catch(() => {})
  return Object.assign(made, { text, answer, notes })
}

/** A client cancels the request of this id. */
export function cancelOf(requestId: unknown): Message {
  const text = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }
  const [message] = readClientMessage(JSON.stringify(text))
  assert.ok(message)
  return message
}

/** The params of a request. */
export function paramsOf(message: Json): Json {
  return (message.params ?? {}) as Json
}

export function metaOf(message: Json): Json {
  return (paramsOf(message)._meta ?? {}) as Json
}

export const CLIENT = {
  [META.protocolVersion]: '2026-07-28',
  [META.clientCapabilities]: { elicitation: {} },
}

/** What a rejected promise was rejected with. */
export async function failure(promise: Promise<unknown>): Promise<ToolgateError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof ToolgateError, String(error))
    return error
  }
  return assert.fail('it did not reject')
}

export async function code(promise: Promise<unknown>): Promise<string> {
  return (await failure(promise)).code
}
