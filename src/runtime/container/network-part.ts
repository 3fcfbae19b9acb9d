import type { Config } from '../../config/config.ts'
import type { Policy } from '../../tool/declaration.ts'
import { isWaived, type Part } from './part.ts'

export interface Reach {
  /** Why nothing keeps a container from this machine, if so. */
  readonly noWall: string | null
  /** Whether that is the engine. */
  readonly podman: boolean
}

/** What a container is connected to. */
export function networkPart(
  { network, sandbox }: Pick<Policy, 'network' | 'sandbox'>,
  config: Pick<Config, 'sandbox'>,
  { noWall, podman }: Reach,
): Part {
  const what = 'network'
  if (network === 'none') {
    return {
      lines: [{ what, rule: 'none', by: 'engine: NetworkMode' }],
      host: { NetworkMode: 'none' },
    }
  }
  if (network === 'host') {
    const rule = "the host's own, with its loopback and its abstract sockets"
    return {
      lines: [{ what, rule, by: 'nothing is in its way' }],
      host: { NetworkMode: 'host' },
    }
  }
  const list =
    network === 'egress' ? 'public addresses' : `only ${network.allow.join(', ') || 'nothing'}`
  // Whatever its file lets go: there would be no way to the proxy.
  if (podman) {
    return {
      lines: [{ what, rule: `${list}, by name and port`, by: null }],
      refusals: [
        'Podman makes the bridge of a network only for a container that runs, ' +
          "and the proxy listens on it before; say network: 'none' in its file",
      ],
    }
  }
  const services = 'services of this machine on all of its addresses'
  const waived = noWall === null || isWaived({ sandbox }, config)
  return {
    lines: [
      { what, rule: `${list}, by name and port`, by: 'engine: internal network, and egress proxy' },
      noWall === null
        ? { what: services, rule: 'not reached', by: 'iptables' }
        : { what: services, rule: "reached at the network's own address", by: null },
    ],
    refusals: waived ? [] : [`${WALLESS}: ${noWall}; ${WAYS}`],
    // Names are the proxy's to look up; some engines ask on behalf of internal networks.
    host: { Dns: [NOWHERE], DnsSearch: [] },
  }
}

const WALLESS = 'its network cannot be kept from the services of this machine'
const WAYS =
  "give the gateway root and iptables, or say network: 'none' in its file; " +
  "sandbox: 'none' lets it go"

/** Of RFC 5737: nobody answers there. */
const NOWHERE = '192.0.2.1'
