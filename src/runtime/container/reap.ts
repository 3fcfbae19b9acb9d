import { existsSync } from 'node:fs'
import { GATEWAY } from '../../mark.ts'
import { type EngineAddress, type EngineConfig, engineAddress } from './address.ts'
import { ask, type Engine, findAgain } from './engine.ts'
import { removeGroups } from './groups.ts'
import { LABEL } from './labels.ts'
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
 * answer and, once all others are gone, with an `AggregateError` where something stays.
 */
export async function reapContainers(
  config: EngineConfig,
  dead: ReadonlySet<string>,
  told: (reaped: Reaped) => void = () => {},
): Promise<void> {
  if (!mayBeThere(config)) return
  const engine = await findAgain(config)
  const ended = await endContainers(engine, dead, told)
  const removed = await removeNetworks(engine, dead)
  const failed = [...ended, ...removed].filter((each) => each.status === 'rejected')
  if (failed.length === 0) return
  const reasons = failed.map(({ reason }) => reason)
  throw new AggregateError(reasons, 'containers or networks could not be removed')
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

const LABELLED = { label: [LABEL.gateway] }

async function endContainers(
  engine: Engine,
  dead: ReadonlySet<string>,
  told: (reaped: Reaped) => void,
): Promise<PromiseSettledResult<void>[]> {
  // What is made or removed while we look is owned before or after.
  const before = new Set(owned)
  const isOwned = (mark = '') => before.has(mark) || owned.has(mark)
  const containers = await ask(engine.docker.listContainers({ all: true, filters: LABELLED }))
  return each(containers, async ({ Id, Labels }) => {
    const { [LABEL.gateway]: gateway = '', [LABEL.tool]: tool = '' } = Labels
    // By its label: names can be changed, and lost.
    const own = gateway === GATEWAY && !isOwned(Labels[LABEL.instance])
    if (!own && !dead.has(gateway)) return
    const was = await endContainer(engine, Id)
    await removeGroups(Id)
    if (was) told({ container: Id, gateway, tool })
  })
}

async function removeNetworks(
  engine: Engine,
  dead: ReadonlySet<string>,
): Promise<PromiseSettledResult<void>[]> {
  const networks = await ask(engine.docker.listNetworks({ filters: LABELLED as never }))
  const used = await networksInUse()
  return each(networks, async ({ Id, Labels }) => {
    const gateway = Labels?.[LABEL.gateway] ?? ''
    const own = gateway === GATEWAY && !used.has(Id)
    if (own || dead.has(gateway)) await removeNetwork(engine, Id)
  })
}

/** A few at a time: a busy engine takes long for each. None that fails keeps the next from its turn. */
async function each<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<PromiseSettledResult<void>[]> {
  const ends: PromiseSettledResult<void>[] = []
  const waiting = [...items]
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      ends.push(...(await Promise.allSettled([work(item)])))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return ends
}

const AT_ONCE = 4

/** No engine is started, and none is waited for, only to be asked. */
export function mayBeThere(config: EngineConfig): boolean {
  let address: EngineAddress
  try {
    address = engineAddress(config)
  } catch {
    return false
  }
  return !('socket' in address) || existsSync(address.socket)
}
