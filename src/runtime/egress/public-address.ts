import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

/**
 * Whether an address is one of the public internet, by the registries of special-purpose addresses
 * (RFC 6890 and what came after). Of IPv6 only what is given out to networks is; an address that
 * carries an IPv4 one and is taken there (mapped, NAT64) is as public as that one.
 */
export function isPublic(address: string): boolean {
  const v4 = asV4(address)
  if (v4 !== undefined) return !SPECIAL.check(v4, 'ipv4')
  // One with a zone (`fe80::1%eth0`) is of one link only, and no list looks past the zone.
  if (!isIPv6(address) || address.includes('%')) return false
  return UNICAST.check(address, 'ipv6') && !SPECIAL.check(address, 'ipv6')
}

/** The IPv4 address that this one is, or leads to; undefined for any other IPv6 address. */
export function asV4(address: string): string | undefined {
  if (isIPv4(address)) return address
  const [, high, low] = CARRIES_V4.exec(domainToASCII(`[${address}]`)) ?? []
  if (high === undefined || low === undefined) return undefined
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 255, b >> 8, b & 255].join('.')
}

/** ::ffff:0:0/96 and 64:ff9b::/96, as they are written when they are shortest. */
const CARRIES_V4 = /^\[(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

const UNICAST = new BlockList()
UNICAST.addSubnet('2000::', 3, 'ipv6')

const SPECIAL = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8], // this network, unspecified
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // behind a carrier's NAT; metadata of one cloud
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // metadata and agents of one cloud, at a public address
  ['169.254.0.0', 16], // link-local, metadata
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocols; metadata of one cloud
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const) {
  SPECIAL.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['2001::', 23], // protocols: Teredo, benchmarks, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: carries an IPv4 address
  ['3fff::', 20], // documentation
] as const) {
  SPECIAL.addSubnet(network, prefix, 'ipv6')
}
