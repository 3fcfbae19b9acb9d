import { BlockList, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { asV4 } from './public-address.ts'

/** The addresses of this machine's interfaces, as they are now. */
export function listOwnAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
}

/** Whether a packet to `address` would never leave this machine. */
export function leadsHere(address: string, own: readonly string[]): boolean {
  const here = new BlockList()
  here.addSubnet('127.0.0.0', 8, 'ipv4')
  for (const each of ['0.0.0.0', '::', '::1', ...own]) {
    const [bare = each] = each.split('%')
    here.addAddress(bare, isIPv4(bare) ? 'ipv4' : 'ipv6')
  }
  const v4 = asV4(address)
  const [bare = address] = address.split('%')
  return v4 === undefined ? here.check(bare, 'ipv6') : here.check(v4, 'ipv4')
}
