import * as two from '@modelcontextprotocol/client'
import { z } from 'zod'
import { META } from '../../src/protocol/meta.ts'
import { type ClientOptions, connect, type McpClient } from '../harness/clients.ts'
import type { Owner } from '../harness/gateway.ts'
import type { Json } from '../harness/session.ts'
import { openRawParty } from './raw-party.ts'

/** One client of a tool, whatever its era: what the matrix needs of it. */
export interface Party {
  /** A request's result, once all that is asked for it is answered. */
  request(method: string, params: Json, options?: RequestOptions): Promise<Json>
  /** Wants to hear when the list of functions changes, and when the resource `uri` does. */
  watch(uri: string): Promise<void>
  /** Every message that came, in order. */
  readonly received: readonly Json[]
  close(): Promise<void>
}

export interface RequestOptions {
  readonly progressToken?: string
  /** The least severe log that is wanted. */
  readonly logLevel?: string
  readonly signal?: AbortSignal
}

/** What each client declares, and answers. */
export const CAPABILITIES = { sampling: {}, elicitation: {}, roots: {} }
export const ANSWERS = {
  'sampling/createMessage': () => ({
    model: 'm',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'Paris' },
  }),
  'elicitation/create': () => ({
    action: 'accept' as const,
    content: { username: 'ada', email: 'ada@example.com' },
  }),
  'roots/list': () => ({ roots: [{ uri: 'file:///one' }] }),
}

type Open = (owner: Owner, url: string, headers: Headers) => Promise<Party>
type Headers = Readonly<Record<string, string>>

/** By the name that the table has for it. */
export const PARTIES: Readonly<Record<string, Open>> = {
  'SDK 1.32, Streamable HTTP': (owner, url, headers) =>
    openLegacy(connect(owner, 'sdk', { streamable: url }, options(headers))),
  'SDK 1.32, HTTP+SSE': (owner, url, headers) =>
    openLegacy(connect(owner, 'sdk', { sse: `${url}/sse` }, options(headers))),
  'SDK 2.4, legacy': (owner, url, headers) =>
    openLegacy(connect(owner, 'client', { streamable: url }, options(headers))),
  'SDK 2.4, modern': openModern,
  'plain HTTP, modern': openRawParty,
}

const options = (headers: Headers): ClientOptions => ({
  capabilities: CAPABILITIES,
  answers: ANSWERS,
  headers,
})

async function openLegacy(connecting: Promise<McpClient>): Promise<Party> {
  const client = await connecting
  return {
    async request(method, params, { logLevel, progressToken, signal } = {}) {
      if (logLevel !== undefined) await client.request('logging/setLevel', { level: logLevel })
      const all = { ...params, ...(progressToken && { _meta: { progressToken } }) }
      return (await client.request(method, all, signal ? { signal } : {})) as Json
    },
    watch: async (uri) => void (await client.request('resources/subscribe', { uri })),
    received: client.received,
    close: () => client.close(),
  }
}

async function openModern(owner: Owner, url: string, headers: Headers): Promise<Party> {
  const versionNegotiation = { mode: { pin: '2026-07-28' } }
  const client = new two.Client(
    { name: 'test', version: '1.0.0' },
    { capabilities: CAPABILITIES, versionNegotiation },
  )
  client.setRequestHandler('sampling/createMessage', ANSWERS['sampling/createMessage'])
  client.setRequestHandler('elicitation/create', ANSWERS['elicitation/create'])
  client.setRequestHandler('roots/list', ANSWERS['roots/list'])
  const target = new URL(url)
  const transport = new two.StreamableHTTPClientTransport(target, { requestInit: { headers } })
  await client.connect(transport)
  owner.after(() => client.close())
  const received: Json[] = []
  const take = transport.onmessage
  transport.onmessage = (message, ...more) => {
    received.push({ ...message })
    take?.(message, ...more)
  }
  return {
    async request(method, params, { signal, ...wishes } = {}) {
      const request = { method, params: { ...params, _meta: metaOf(wishes) } }
      return client.request(request, z.looseObject({}), signal ? { signal } : {})
    },
    watch: async (uri) =>
      void (await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })),
    received,
    close: () => client.close(),
  }
}

/** What a modern request says of itself, besides who its client is. */
export function metaOf({ progressToken, logLevel }: RequestOptions): Json {
  return {
    ...(progressToken && { progressToken }),
    ...(logLevel && { [META.logLevel]: logLevel }),
  }
}
