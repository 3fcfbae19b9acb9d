import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { type Destination, readDestination } from './destination.ts'

/** A plain request as it goes on. */
export interface Target {
  readonly destination: Destination
  /** What the request line and `Host` say of it: the port only where it is not 80. */
  readonly host: string
  /** With the query, byte for byte as the tool sent it. */
  readonly path: string
}

/** Reads the request line of a plain request through a proxy; undefined where it is none. */
export function readTarget({ url = '', headers }: IncomingMessage): Target | undefined {
  const [, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? []
  const destination = readDestination(authority, HTTP)
  if (destination === undefined || headers.upgrade !== undefined) return undefined
  // Another coding would have to be undone, or its length could be read in two ways.
  if (!isPlainCoding(headers['transfer-encoding'])) return undefined
  const { host, port } = destination
  return {
    destination,
    host: port === HTTP ? host : `${host}:${port}`,
    path: rest.startsWith('/') ? rest : `/${rest}`,
  }
}

/**
 * Sends a request on over `far`, a connection for it alone, and its answer back, both as they
 * come. Rejects where there is no answer; `response` is untouched then.
 */
export async function forwardRequest(
  tool: IncomingMessage,
  response: ServerResponse,
  far: Socket,
  { host, path }: Target,
): Promise<void> {
  const going = request({
    createConnection: () => far,
    method: tool.method ?? 'GET',
    path,
    headers: ['Host', host, 'Connection', 'close', ...passedOn(tool), ...framing(tool)],
  })
  going.maxHeadersCount = 0
  const sent = pipeline(tool, going).catch(() => {})
  const answer = await answerOf(going)
  const headers = ['Connection', 'close', ...passedOn(answer)]
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
  await pipeline(answer, response).catch(() => {})
  far.destroy()
  await sent
}

function answerOf(going: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    going.on('error', reject)
    // Also without an error, such as after an upgrade that nobody asked for.
    going.on('close', () => reject(new Error('there was no answer')))
    going.on('response', (answer) => {
      if (isPlainCoding(answer.headers['transfer-encoding'])) resolve(answer)
      else going.destroy(new Error('the answer has a transfer coding that is not known'))
    })
  })
}

/** Names and values in turn, without what is for one connection only (RFC 9110, section 7.6.1). */
function passedOn({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  const passed: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    const lower = name.toLowerCase()
    // A length is what frames the body: no word of the tool makes it go away.
    if (HOP.has(lower) || lower.startsWith('proxy-')) continue
    if (named.includes(lower) && lower !== 'content-length') continue
    passed.push(name, value)
  }
  return passed
}

/** Said outright, for a request whose method rarely has a body would be sent without an end. */
function framing({ headers }: IncomingMessage): string[] {
  return headers['transfer-encoding'] === undefined ? [] : ['Transfer-Encoding', 'chunked']
}

function isPlainCoding(coding: string | undefined): boolean {
  return coding === undefined || coding.toLowerCase() === 'chunked'
}

const HOP = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const ABSOLUTE = /^http:\/\/([^/?#]+)([^#]*)$/i
const HTTP = 80
