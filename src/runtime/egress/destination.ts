import { domainToASCII } from 'node:url'
import type { Policy } from '../../tool/declaration.ts'

/** Where a tool wants to go. */
export interface Destination {
  /** Lower case and ASCII, without a trailing dot; an IPv6 address is in brackets. */
  readonly host: string
  readonly port: number
}

/** What a tool may be given of the network through the proxy. */
export type EgressNetwork = Exclude<Policy['network'], 'none' | 'host'>

/**
 * Reads `host:port`; without a port it is `port`, where there is one. Every way to write an IPv4
 * address (`0x7f.1`, `2130706433`) becomes the usual one, as in any URL. Undefined for all else.
 */
export function readDestination(text: string, port?: number): Destination | undefined {
  const [, written, number = port] = FORM.exec(text) ?? []
  if (written === undefined || number === undefined) return undefined
  const host = domainToASCII(written).toLowerCase().replace(/\.$/, '')
  const reached = Number(number)
  if (host.length > LONGEST || !HOST.test(host) || reached < 1 || reached > 65_535) return undefined
  return { host, port: reached }
}

/** What the policy says before anything is asked of anyone: true where the tool may go there. */
export function allowedBy(network: EgressNetwork): (destination: Destination) => boolean {
  // Mail from server to server is what stolen machines are used for; a tool's file can name it.
  if (network === 'egress') return ({ port }) => port !== SMTP
  const allowed = new Set<string>()
  for (const text of network.allow) {
    const destination = readDestination(text)
    if (destination !== undefined) allowed.add(showDestination(destination))
  }
  return (destination) => allowed.has(showDestination(destination))
}

export function showDestination({ host, port }: Destination): string {
  return `${host}:${port}`
}

/** Nothing that `domainToASCII` would cut off, decode or leave out. */
const FORM = /^(\[[0-9a-f:.]+\]|[^\s:/?#@%\\[\]<>^|\p{Cc}]+)(?::(\d{1,5}))?$/iu
const HOST = /^(?:\[[0-9a-f:]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/
/** Characters, by RFC 1035. */
const LONGEST = 253
const SMTP = 25
