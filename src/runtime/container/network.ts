import type { NetworkCreateOptions } from 'dockerode'
import { ToolgateError } from '../../errors.ts'
import { GATEWAY } from '../../mark.ts'
import type { Declaration } from '../../tool/declaration.ts'
import type { EgressDoors } from '../egress/doors.ts'
import { proxyVariables } from '../egress/variables.ts'
import { deadEnd } from './dead-end.ts'
import { ask, type Engine, engineSaid, statusOf } from './engine.ts'
import { removeLater } from './remove.ts'

/** What a container is connected to. */
export interface Connected {
  /** As the engine names it: `none`, `host` or a network of ours. */
  readonly mode: string
  /** What tells its programs of the proxy. */
  readonly variables: Readonly<Record<string, string>>
  /** After the container is removed. Never rejects. */
  release(): Promise<void>
}

/**
 * The network of one container. `egress` and `allow` are an internal network of the engine, from
 * which nothing leads out, and the gateway's proxy at its address of this machine. Rejects with
 * `no_cell` where the engine cannot do that.
 */
export async function connectNetwork(
  { name, policy: { network } }: Pick<Declaration, 'name' | 'policy'>,
  engine: Engine,
  egress: EgressDoors,
): Promise<Connected> {
  if (network === 'none' || network === 'host') {
    return { mode: network, variables: {}, release: async () => {} }
  }
  if (engine.socket === null) throw refusal('the engine is reached over TCP, and the proxy is not')
  const key = `${engine.socket} ${name}`
  const shared = networks.get(key) ?? begin(key, engine, name)
  shared.users += 1
  let released: Promise<void> | undefined
  const leave = () => (released ??= end(key, shared, engine))
  try {
    const { id, gateway, subnet } = await shared.network
    const door = await egress.openPort(name, network, { host: gateway, from: subnet })
    return {
      mode: id,
      variables: proxyVariables(door),
      release: async () => {
        await door.release()
        await leave()
      },
    }
  } catch (error) {
    await leave()
    const said = engineSaid(error)
    const why = said === undefined ? 'the proxy cannot listen on its network' : `it says: ${said}`
    throw refusal(why, error)
  }
}

/** One for each tool, as long as one of its containers is there. */
const networks = new Map<string, Shared>()

interface Shared {
  readonly network: Promise<Network>
  users: number
}

interface Network {
  readonly id: string
  /** This machine's address in it. */
  readonly gateway: string
  /** Such as `172.20.0.0/16`. */
  readonly subnet: string
}

let made = 0

function begin(key: string, engine: Engine, tool: string): Shared {
  made += 1
  const shared: Shared = { network: create(engine, tool, made), users: 0 }
  networks.set(key, shared)
  shared.network.catch(() => {})
  return shared
}

/**
 * Made twice: some engines give containers a way out of an internal network, and only their rules
 * of forwarding, which may be switched off, are in its way. The second time that way leads to an
 * address that nobody has, which can be said only of addresses that are known.
 */
async function create(engine: Engine, tool: string, number: number): Promise<Network> {
  const found = await make(engine, tool, number, undefined)
  await removeNetwork(engine, found.id)
  const { subnet, gateway } = found
  const AuxiliaryAddresses = { DefaultGatewayIPv4: deadEnd(found) }
  return make(engine, tool, number, { Subnet: subnet, Gateway: gateway, AuxiliaryAddresses })
}

async function make(
  engine: Engine,
  tool: string,
  number: number,
  addresses: object | undefined,
): Promise<Network> {
  const network = await ask(
    engine.docker.createNetwork({
      Name: `toolgate-${GATEWAY}-${number}`,
      Driver: 'bridge',
      Internal: true,
      EnableIPv6: false,
      CheckDuplicate: true,
      Labels: { 'toolgate.gateway': GATEWAY, 'toolgate.tool': tool },
      // The tool's containers, which may serve several callers, do not see each other.
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
      ...(addresses !== undefined && { IPAM: { Config: [addresses] } }),
    } as NetworkCreateOptions),
    SLOW,
  )
  try {
    const { IPAM } = await ask(network.inspect())
    const [{ Gateway, Subnet } = {}] = IPAM?.Config ?? []
    if (Gateway === undefined || Subnet === undefined) throw new Error('it has no address here')
    return { id: network.id, gateway: Gateway.replace(/\/.*/, ''), subnet: Subnet }
  } catch (error) {
    await letGo(engine, network.id)
    throw error
  }
}

async function end(key: string, shared: Shared, engine: Engine): Promise<void> {
  shared.users -= 1
  if (shared.users > 0) return
  if (networks.get(key) === shared) networks.delete(key)
  const network = await shared.network.catch(() => undefined)
  if (network === undefined) return
  await letGo(engine, network.id)
}

async function letGo(engine: Engine, id: string): Promise<void> {
  const remove = () => removeNetwork(engine, id)
  await remove().catch(() => removeLater(id, remove))
}

/** Rejects where it may still be there. */
export async function removeNetwork({ docker }: Engine, id: string): Promise<void> {
  await ask(docker.getNetwork(id).remove()).catch((error: unknown) => {
    if (statusOf(error) !== 404) throw error
  })
}

/** Ids of the networks that are in use, or about to be. */
export async function networksInUse(): Promise<Set<string>> {
  const found = await Promise.allSettled([...networks.values()].map(({ network }) => network))
  return new Set(found.flatMap((each) => (each.status === 'fulfilled' ? each.value.id : [])))
}

function refusal(why: string, cause?: unknown): ToolgateError {
  const message =
    'The tool could not be started: the container engine cannot give it a network that leads ' +
    `only to the egress proxy: ${why}; with network: 'none' it starts.`
  return new ToolgateError('no_cell', message, { cause })
}

/** Milliseconds. */
const SLOW = 10_000
