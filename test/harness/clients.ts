import * as two from '@modelcontextprotocol/client'
import { StdioClientTransport as TwoStdio } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import type { Owner } from './gateway.ts'
import { until } from './until.ts'

/** `sdk`: @modelcontextprotocol/sdk 1.x; `client`: @modelcontextprotocol/client 2.x in legacy mode. */
export type Library = 'sdk' | 'client'

/** Where a client connects: a URL over one of the two HTTP transports, or a command over stdio. */
export type Target =
  | { readonly streamable: string }
  | { readonly sse: string }
  | { readonly command: readonly string[]; readonly env?: Readonly<Record<string, string>> }

export interface ClientOptions {
  readonly capabilities?: Readonly<Record<string, object>>
  readonly headers?: Readonly<Record<string, string>>
  /** Answers to what the server asks, by method. */
  readonly answers?: Readonly<Record<string, (params: unknown) => object | Promise<object>>>
}

export interface Notification {
  readonly method: string
  readonly params?: unknown
}

/** The same few verbs over either official library. */
export interface McpClient {
  /** What `initialize` told: capabilities, name and instructions. */
  readonly hello: unknown
  request(method: string, params?: object, options?: RequestOptions): Promise<unknown>
  /** The result, or the JSON-RPC error, as data: for comparing. */
  answer(method: string, params?: object): Promise<unknown>
  notify(method: string, params?: object): Promise<void>
  readonly notifications: readonly Notification[]
  waitForNotification(method: string): Promise<Notification>
  readonly errors: readonly Error[]
  /** Every message of the server since it connected, as the transport gave it. */
  readonly received: readonly Received[]
  close(): Promise<void>
}

export type Received = Readonly<Record<string, unknown>>

export interface RequestOptions {
  readonly signal?: AbortSignal
  readonly timeout?: number
  readonly onprogress?: (progress: { progress: number }) => void
  readonly resumptionToken?: string
  readonly onresumptiontoken?: (token: string) => void
}

/** Connects an unmodified official client; it is closed when its owner ends. */
export async function connect(
  owner: Owner,
  library: Library,
  target: Target,
  options: ClientOptions = {},
): Promise<McpClient> {
  const client = await (library === 'sdk' ? connectSdk : connectTwo)(target, options)
  owner.after(() => client.close())
  return client
}

const INFO = { name: 'test', version: '1.0.0' }

async function connectSdk(target: Target, options: ClientOptions): Promise<McpClient> {
  const { capabilities = {}, answers = {} } = options
  const client = new Client(INFO, { capabilities })
  const seen = listenTo(client)
  client.fallbackRequestHandler = async ({ method, params }) => ({
    ...(await answerWith(answers, method, params)),
  })
  const transport = sdkTransport(target, options)
  await client.connect(transport)
  return speaker({
    ...seen,
    received: record(transport),
    hello: {
      capabilities: client.getServerCapabilities(),
      server: client.getServerVersion(),
      instructions: client.getInstructions(),
    },
    request: (method, params, more) => client.request(plain(method, params), ResultSchema, more),
    notify: (method, params) => client.notification(plain(method, params)),
    close: () => client.close(),
  })
}

async function connectTwo(target: Target, options: ClientOptions): Promise<McpClient> {
  const { capabilities = {}, answers = {} } = options
  const client = new two.Client(INFO, { capabilities, versionNegotiation: { mode: 'legacy' } })
  const seen = listenTo(client)
  client.fallbackRequestHandler = async ({ method, params }) => ({
    ...(await answerWith(answers, method, params)),
  })
  const transport = twoTransport(target, options)
  await client.connect(transport)
  const anyResult = z.looseObject({})
  return speaker({
    ...seen,
    received: record(transport),
    hello: {
      capabilities: client.getServerCapabilities(),
      server: client.getServerVersion(),
      instructions: client.getInstructions(),
    },
    request: (method, params, more) => client.request(plain(method, params), anyResult, more),
    notify: (method, params) => client.notification(plain(method, params)),
    close: () => client.close(),
  })
}

function sdkTransport(target: Target, { headers }: ClientOptions): Transport {
  const init = headers ? { requestInit: { headers } } : {}
  if ('command' in target) return new StdioClientTransport(stdio(target))
  if ('sse' in target) return new SSEClientTransport(new URL(target.sse), init)
  return new StreamableHTTPClientTransport(new URL(target.streamable), init) as Transport
}

function twoTransport(target: Target, { headers }: ClientOptions): two.Transport {
  const init = headers ? { requestInit: { headers } } : {}
  if ('command' in target) return new TwoStdio(stdio(target))
  if ('sse' in target) return new two.SSEClientTransport(new URL(target.sse), init)
  return new two.StreamableHTTPClientTransport(new URL(target.streamable), init)
}

type Command = Extract<Target, { command: readonly string[] }>

function stdio({ command: [command = '', ...args], env }: Command) {
  return { command, args, stderr: 'ignore' as const, ...(env ? { env: { ...env } } : {}) }
}

/**
 * What arrives, before the library sorts it: both drop progress that comes in one chunk with its
 * answer, over stdio as well.
 */
function record(transport: { onmessage?: ((message: never) => void) | undefined }): Received[] {
  const received: Received[] = []
  const take: ((message: never) => void) | undefined = transport.onmessage
  transport.onmessage = (message: never, ...more: never[]) => {
    received.push(message)
    Reflect.apply(take ?? (() => {}), transport, [message, ...more])
  }
  return received
}

function listenTo(client: Pick<Client, 'fallbackNotificationHandler' | 'onerror'>) {
  const notifications: Notification[] = []
  const errors: Error[] = []
  client.fallbackNotificationHandler = async (notification) => {
    notifications.push(notification)
  }
  client.onerror = (error) => void errors.push(error)
  return { notifications, errors }
}

async function answerWith(
  answers: NonNullable<ClientOptions['answers']>,
  method: string,
  params: unknown,
): Promise<object> {
  const answer = answers[method]
  if (!answer) throw Object.assign(new Error(`Nobody answers ${method} here`), { code: -32601 })
  return answer(params)
}

function plain(method: string, params?: object) {
  return { method, ...(params ? { params: { ...params } } : {}) }
}

function speaker(base: Omit<McpClient, 'answer' | 'waitForNotification'>): McpClient {
  return {
    ...base,
    answer: (method, params) => base.request(method, params).then(asResult, asError),
    waitForNotification: (name) =>
      until(name, () => base.notifications.find(({ method }) => method === name)),
  }
}

function asResult(result: unknown) {
  return { result }
}

function asError(thrown: unknown) {
  if (!(thrown instanceof Error)) throw thrown
  const { code, data } = { code: undefined, data: undefined, ...thrown }
  return { error: { code, message: thrown.message, data } }
}
