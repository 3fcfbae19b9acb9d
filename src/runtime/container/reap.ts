import { existsSync } from 'node:fs'
import { GATEWAY } from '../../mark.ts'
import { type EngineAddress, type EngineConfig, engineAddress } from './address.ts'
import { ask, type Engine, findEngine } from './engine.ts'
import { removeGroups } from './groups.ts'
import { networksInUse, removeNetwork } from './network.ts'
import { endContainer, owned } from './remove.ts'

/** A container that nobody owned. */
export interface Reaped {
  readonly container: string
  readonly gateway: string
  readonly tool: string
}

/**
 * Removes the containers and networks that dead gateways left, and those of our own that no
 * instance has; each is told. Without an engine there are none. Rejects where the engine does not
 * answer, or something stays.
 */
export async function reapContainers(
  config: EngineConfig,
  dead: ReadonlySet<string>,
  told: (reaped: Reaped) => void = () => {},
): Promise<void> {
  if (!mayBeThere(config)) return
  const engine = await findEngine(config)
  const filters = { label: ['toolgate.gateway'] }
  // What is made or removed while we look is owned before or after.
  const before = new Set(owned)
  const isOwned = (name: string) => before.has(name) || owned.has(name)
  const containers = await ask(engine.docker.listContainers({ all: true, filters }))
  for (const { Id, Names, Labels } of containers) {
    const { 'toolgate.gateway': gateway = '', 'toolgate.tool': tool = '' } = Labels
    const own = gateway === GATEWAY && !Names.some((name) => isOwned(name.replace(/^\//, '')))
    if (!own && !dead.has(gateway)) continue
    await endContainer(engine, Id)
    await removeGroups(Id)
    told({ container: Id, gateway, tool })
  }
  await reapNetworks(engine, dead)
}

/** From the first container on: what an engine made late, or kept, does not stay. */
export function watchOwn(config: EngineConfig): void {
  if (timer !== undefined) return
  timer = setInterval(() => {
    reapContainers(config, new Set()).catch(() => {})
  }, MINUTE).unref()
}

let timer: NodeJS.Timeout | undefined

/** Milliseconds. */
const MINUTE = 60_000

async function reapNetworks(engine: Engine, dead: ReadonlySet<string>): Promise<void> {
  const filters = { label: ['toolgate.gateway'] }
  const networks = await ask(engine.docker.listNetworks({ filters: filters as never }))
  const used = await networksInUse()
  for (const { Id, Labels } of networks) {
    const gateway = Labels?.['toolgate.gateway'] ?? ''
    const own = gateway === GATEWAY && !used.has(Id)
    if (!own && !dead.has(gateway)) continue
    await removeNetwork(engine, Id)
  }
}

/** No engine is started, and none is waited for, only to be asked. */
function mayBeThere(config: EngineConfig): boolean {
  let address: EngineAddress
  try {
    address = engineAddress(config)
  } catch {
    return false
  }
  return !('socket' in address) || existsSync(address.socket)
}
