import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../config/config.ts'
import { isLoopback } from '../config/exposure.ts'
import { ToolgateError } from '../errors.ts'

type Reachable = Pick<Config, 'listen' | 'hosts'>

/**
 * Refuses a `Host` that is not ours, so that a web page whose name was pointed at this address (DNS
 * rebinding) gets nothing. Ours are loopback, the bound address and `hosts`, with any port; a
 * public address with no `hosts` takes every name. Give `rawHeaders` where they are at hand: Node
 * keeps only the first of two. Throws `forbidden_host`.
 */
export function checkHost(
  headers: IncomingHttpHeaders,
  config: Reachable,
  rawHeaders?: readonly string[],
): void {
  const { host } = headers
  const name = host === undefined ? undefined : nameOf(host)
  if (name === undefined) throw refusal('The Host header is absent or malformed.')
  if (rawHeaders !== undefined && hasTwoHosts(rawHeaders)) {
    throw refusal('The Host header was sent twice.')
  }
  if (!isOurs(name, config)) throw refusal('The Host is not one this gateway answers for.')
}

/**
 * Refuses a web page of another origin. Allowed are no `Origin` at all (no browser), the same host
 * and port as `Host`, and `origins`; `*` in them allows every one, `null` too. Throws
 * `forbidden_host`.
 */
export function checkOrigin(headers: IncomingHttpHeaders, config: Pick<Config, 'origins'>): void {
  const { origin, host } = headers
  if (origin === undefined) return
  const { origins } = config
  if (origins.includes(origin) || origins.includes('*')) return
  if (host !== undefined && hostOf(origin) === host.toLowerCase()) return
  throw refusal('The Origin is not allowed.')
}

function isOurs(name: string, { listen, hosts }: Reachable): boolean {
  if (isLoopback(name)) return true
  const bound = listen.host.toLowerCase()
  if (hosts.length === 0 && !isLoopback(bound)) return true
  if (name === bound) return !WILDCARDS.includes(bound)
  return hosts.some((host) => host.toLowerCase() === name)
}

/** The name or address in `NAME[:PORT]`, in lower case, an IPv6 address without its brackets. */
function nameOf(host: string): string | undefined {
  const match = HOST.exec(host)
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

/** `host[:port]` of an origin that is one. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#@\s,]+)$/i.exec(origin)?.[1]?.toLowerCase()
}

/** Names of headers are at the even places. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count > 1
}

function refusal(message: string): ToolgateError {
  return new ToolgateError('forbidden_host', message)
}

const HOST = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?))(?::\d{1,5})?$/i

/** Every address of the machine, and so the name of none. */
const WILDCARDS = ['0.0.0.0', '::']
