import { isIPv4 } from 'node:net'

/** An IPv4 network as an engine has it. */
export interface Addresses {
  /** Such as `172.20.0.0/16`. */
  readonly subnet: string
  /** This machine's address in it. */
  readonly gateway: string
}

/**
 * An address of the network that nobody has: the last one, or the one before it. As the way out it
 * leads nowhere, whatever the engine's or the machine's rules of forwarding are.
 */
export function deadEnd({ subnet, gateway }: Addresses): string {
  const [network = '', prefix = ''] = subnet.split('/')
  const size = 2 ** (32 - Number(prefix))
  if (!isIPv4(network) || prefix === '' || !(size >= 8))
    throw new Error(`${subnet} is too small a network`)
  const first = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const [last, before] = [first + size - 2, first + size - 3].map(written)
  return last === gateway ? String(before) : String(last)
}

function written(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}
