import { join } from 'node:path'
import { ToolgateError } from '../../errors.ts'
import { GATEWAY } from '../../mark.ts'
import type { EgressNetwork } from './destination.ts'
import { forgetEgress, makeEgressFolder } from './folder.ts'
import { type EgressOptions, EgressProxy, type ProxyAddress } from './proxy.ts'

export interface DoorsOptions
  extends Pick<EgressOptions, 'log' | 'meters' | 'ownPorts' | 'lookup' | 'connect'> {
  /** Absolute path of the cache folder. */
  readonly cache: string
}

/** One instance's right to its tool's proxy. */
export interface Door {
  /** Lets go of it; with the last one the proxy ends, and all that is open in it. Idempotent. */
  release(): Promise<void>
}

/**
 * The proxies of this gateway: one for each tool and policy, shared by its instances and there as
 * long as one of them is.
 */
export class EgressDoors {
  readonly #options: DoorsOptions
  readonly #shared = new Map<string, Shared>()
  readonly #ending = new Set<Promise<void>>()
  #opened = 0
  #closed = false

  constructor(options: DoorsOptions) {
    this.#options = options
  }

  /**
   * For processes: `path` is a unix socket that any user may connect to who is shown it, in a
   * folder that only ours may enter. It is there until the release. Rejects with
   * `tool_failed_to_start` or `shutting_down`, as `openPort` does.
   */
  async open(tool: string, network: EgressNetwork): Promise<Door & { readonly path: string }> {
    const door = await this.#enter(tool, network, async () => {
      this.#opened += 1
      const number = this.#opened
      return { path: join(await makeEgressFolder(this.#options.cache), String(number)) }
    })
    return { path: door.place as string, release: door.release }
  }

  /**
   * For containers: a port at `host`, an address of this machine that only the tool's containers
   * can reach. `from` is their network, such as `172.20.0.0/16`; all others are turned away.
   */
  async openPort(
    tool: string,
    network: EgressNetwork,
    at: { readonly host: string; readonly from: string },
  ): Promise<Door & { readonly host: string; readonly port: number }> {
    const door = await this.#enter(tool, network, async () => at, at)
    return { host: at.host, port: door.place as number, release: door.release }
  }

  /** Ends all proxies, once no tool is left; nothing of them is left. */
  async close(): Promise<void> {
    this.#closed = true
    for (const [key, shared] of this.#shared) this.#end(key, shared)
    await Promise.all(this.#ending)
    await forgetEgress(this.#options.cache, new Set([GATEWAY]))
  }

  async #enter(
    tool: string,
    network: EgressNetwork,
    address: () => Promise<ProxyAddress>,
    at?: object,
  ): Promise<Door & { readonly place: string | number }> {
    if (this.#closed) throw new ToolgateError('shutting_down', 'The gateway is shutting down.')
    const key = JSON.stringify([tool, network, at])
    const shared = this.#shared.get(key) ?? this.#begin(key, tool, network, address)
    shared.users += 1
    let released: Promise<void> | undefined
    const release = () => {
      released ??= this.#leave(key, shared)
      return released
    }
    try {
      return { place: await shared.place, release }
    } catch (cause) {
      await release()
      throw new ToolgateError('tool_failed_to_start', NO_WAY_OUT, { cause })
    }
  }

  #begin(
    key: string,
    tool: string,
    network: EgressNetwork,
    address: () => Promise<ProxyAddress>,
  ): Shared {
    const proxy = new EgressProxy({ ...this.#options, tool, network })
    const place = address().then(async (where) => {
      const port = await proxy.listen(where)
      return 'path' in where ? where.path : (port ?? 0)
    })
    const shared: Shared = { proxy, place, users: 0 }
    this.#shared.set(key, shared)
    return shared
  }

  async #leave(key: string, shared: Shared): Promise<void> {
    shared.users -= 1
    if (shared.users > 0) return
    this.#end(key, shared)
    await shared.ended
  }

  #end(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key)
    if (shared.ended !== undefined) return
    // Not before it has begun: it would listen afterwards.
    const ended = shared.place.then(
      () => shared.proxy.close(),
      () => shared.proxy.close(),
    )
    shared.ended = ended
    this.#ending.add(ended)
    void ended.finally(() => this.#ending.delete(ended))
  }
}

const NO_WAY_OUT = 'The tool could not be started: its way to the network could not be opened.'

interface Shared {
  readonly proxy: EgressProxy
  /** The socket's path, or the port. */
  readonly place: Promise<string | number>
  users: number
  ended?: Promise<void>
}
