import { isIP } from 'node:net'
import { allowedBy, type Destination, type EgressNetwork } from './destination.ts'
import { type Lookup, Names } from './names.ts'
import { leadsHere, listOwnAddresses } from './own-addresses.ts'
import { isPublic } from './public-address.ts'
import { Refusal } from './refusal.ts'

export interface RouteOptions {
  readonly network: EgressNetwork
  /** Ports that the gateway listens on, at this moment. */
  readonly ownPorts: () => readonly number[]
  /** For tests: instead of the system's own. */
  readonly lookup?: Lookup
  readonly ownAddresses?: () => readonly string[]
}

/** Finds where a destination leads, and whether the tool may go there. */
export class Router {
  readonly #options: RouteOptions
  readonly #allows: (destination: Destination) => boolean
  readonly #names: Names

  constructor(options: RouteOptions) {
    this.#options = options
    this.#allows = allowedBy(options.network)
    this.#names = new Names(options.lookup)
  }

  /**
   * The addresses to connect to, each of them checked, so that nobody has to ask again and be
   * told something else. Rejects with a `Refusal`.
   */
  async find(destination: Destination): Promise<readonly string[]> {
    // Before any lookup: a question to a name server can carry data out as well.
    if (!this.#allows(destination)) throw new Refusal('not_allowed', destination)
    const addresses = await this.#resolve(destination)
    const own = (this.#options.ownAddresses ?? listOwnAddresses)()
    const here = addresses.some((address) => leadsHere(address, own))
    if (here && this.#options.ownPorts().includes(destination.port))
      throw new Refusal('gateway', destination)
    // What this machine serves at its own public address may be for its neighbours' eyes only:
    // no firewall stands between. A tool's file can name it.
    if ((here && this.#options.network === 'egress') || !addresses.every(isPublic))
      throw new Refusal('not_public', destination)
    return addresses
  }

  async #resolve(destination: Destination): Promise<readonly string[]> {
    const literal = destination.host.replace(/^\[(.+)\]$/, '$1')
    if (isIP(literal) !== 0) return [literal]
    const answer = this.#names.ask(destination.host)
    if (answer === undefined) throw new Refusal('busy', destination)
    const addresses = await answer.catch((error: unknown) => {
      throw new Refusal('unresolved', destination, error)
    })
    if (addresses.length === 0) throw new Refusal('unresolved', destination)
    return addresses
  }
}
