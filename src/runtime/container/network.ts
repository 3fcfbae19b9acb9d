import type { NetworkCreateOptions } from 'dockerode'
import type { Config } from '../../config/config.ts'
import { ToolgateError } from '../../errors.ts'
import { GATEWAY } from '../../mark.ts'
import type { Declaration } from '../../tool/declaration.ts'
import type { EgressDoors } from '../egress/doors.ts'
import { proxyVariables } from '../egress/variables.ts'
import { deadEnd } from './dead-end.ts'
import { ask, type Engine, engineSaid, statusOf } from './engine.ts'
import { FilterError, type Filters } from './iptables.ts'
import { LABEL } from './labels.ts'
import { isWaived } from './part.ts'
import { removeLater } from './remove.ts'
import { bridgeName, buildWall, findWalls, isThere, type Wall } from './wall.ts'

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
 * which nothing leads out, and the gateway's proxy at its address of this machine, where a wall
 * lets nothing else be reached. Rejects with `no_cell` where the engine or the machine cannot do that.
 */
export async function connectNetwork(
  { name, policy }: Pick<Declaration, 'name' | 'policy'>,
  engine: Engine,
  egress: EgressDoors,
  config: Pick<Config, 'environment' | 'sandbox'>,
): Promise<Connected> {
  const { network } = policy
  if (network === 'none' || network === 'host') {
    return { mode: network, variables: {}, release: async () => {} }
  }
  if (engine.socket === null) throw refusal('the engine is reached over TCP, and the proxy is not')
  const walls = await findWalls(engine, config.environment)
  if (typeof walls === 'string' && !isWaived(policy, config)) throw refusal(walls)
  const filters = typeof walls === 'string' ? null : walls
  const key = `${engine.socket} ${name} ${filters !== null}`
  const shared = networks.get(key) ?? begin(key, engine, name, filters)
  shared.users += 1
  const fresh = shared.users === 1
  const undo: (() => Promise<void>)[] = [() => end(key, shared, engine)]
  const release = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const { id, gateway, subnet, wall } = await shared.network
    if (!fresh) await wall?.stand()
    const door = await egress.openPort(name, network, { host: gateway, from: subnet })
    undo.push(() => door.release())
    if (wall !== null) undo.push(await wall.open(gateway, door.port))
    return { mode: id, variables: proxyVariables(door), release }
  } catch (error) {
    await release()
    throw refusal(reasonFor(error), error)
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
  readonly wall: Wall | null
}

let made = 0

function begin(key: string, engine: Engine, tool: string, filters: Filters | null): Shared {
  made += 1
  const shared: Shared = { network: create(engine, tool, made, filters), users: 0 }
  networks.set(key, shared)
  shared.network.catch(() => {})
  return shared
}

async function create(
  engine: Engine,
  tool: string,
  number: number,
  filters: Filters | null,
): Promise<Network> {
  const bridge = bridgeName(number)
  const wall = filters === null ? null : await buildWall(filters, bridge)
  try {
    const network = await makeTwice(engine, tool, number)
    if (wall === null || isThere(bridge)) return { ...network, wall }
    await letGo(engine, { ...network, wall: null })
    throw new Elsewhere()
  } catch (error) {
    await wall?.fall().catch(() => removeLater(bridge, () => wall.fall()))
    throw error
  }
}

/**
 * Some engines give containers a way out of an internal network, and only their rules of
 * forwarding, which may be switched off, are in its way. The second time that way leads to an
 * address that nobody has, which can be said only of addresses that are known.
 */
async function makeTwice(engine: Engine, tool: string, number: number): Promise<Made> {
  const found = await make(engine, tool, number, undefined)
  await removeNetwork(engine, found.id)
  const { subnet, gateway } = found
  const AuxiliaryAddresses = { DefaultGatewayIPv4: deadEnd(found) }
  return make(engine, tool, number, { Subnet: subnet, Gateway: gateway, AuxiliaryAddresses })
}

type Made = Omit<Network, 'wall'>

async function make(
  engine: Engine,
  tool: string,
  number: number,
  addresses: object | undefined,
): Promise<Made> {
  const network = await ask(
    engine.docker.createNetwork({
      Name: `toolgate-${GATEWAY}-${number}`,
      Driver: 'bridge',
      Internal: true,
      EnableIPv6: false,
      CheckDuplicate: true,
      Labels: { [LABEL.gateway]: GATEWAY, [LABEL.tool]: tool },
      // The tool's containers, which may serve several callers, do not see each other.
      Options: {
        'com.docker.network.bridge.enable_icc': 'false',
        'com.docker.network.bridge.name': bridgeName(number),
      },
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
    await letGo(engine, { id: network.id, wall: null })
    throw error
  }
}

async function end(key: string, shared: Shared, engine: Engine): Promise<void> {
  shared.users -= 1
  if (shared.users > 0) return
  if (networks.get(key) === shared) networks.delete(key)
  const network = await shared.network.catch(() => undefined)
  if (network === undefined) return
  await letGo(engine, network)
}

/** The wall last: something could still be in a network whose bridge stays. */
async function letGo(engine: Engine, { id, wall }: Pick<Network, 'id' | 'wall'>): Promise<void> {
  const remove = async () => {
    try {
      await removeNetwork(engine, id)
    } catch (error) {
      if (wall !== null && !isThere(wall.bridge)) await wall.fall()
      throw error
    }
    await wall?.fall()
  }
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

/** The engine has made it, in a machine of its own. */
class Elsewhere extends Error {}

/** What went wrong, in words for callers. */
function reasonFor(error: unknown): string {
  if (error instanceof Elsewhere) return 'its bridge is not on this machine'
  if (error instanceof FilterError)
    return 'iptables cannot keep it from the services of this machine'
  const said = engineSaid(error)
  return said === undefined ? 'the proxy cannot listen on its network' : `it says: ${said}`
}

function refusal(why: string, cause?: unknown): ToolgateError {
  const message =
    'The tool could not be started: the container engine cannot give it a network that leads ' +
    `only to the egress proxy: ${why}; with network: 'none' it starts.`
  return new ToolgateError('no_cell', message, { cause })
}

/** Milliseconds. */
const SLOW = 10_000
