import type { Config } from '../../config/config.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { refusedFiles } from '../cell/grants.ts'
import { type ContainerCell, resolveContainerCell } from './cell.ts'
import type { Engine } from './engine.ts'
import { mountsOf } from './mounts.ts'
import { findWalls } from './wall.ts'

/** The cell of a container tool on this machine: what its file asks for is looked at as well. */
export async function cellHere(
  tool: Pick<Declaration, 'policy'>,
  config: Config,
  engine: Engine,
  digest: string | null,
): Promise<ContainerCell> {
  const { policy } = tool
  const { network } = policy
  const walled = network !== 'none' && network !== 'host'
  const walls = walled ? await findWalls(engine, config.environment) : []
  const noWall = typeof walls === 'string' ? walls : null
  const cell = resolveContainerCell(tool, config, engine.facts, digest, noWall)
  const files = await refusedFiles(policy, config)
  if (files.length > 0) return { ...cell, refusals: [...cell.refusals, ...files] }
  const why = await mountsOf(policy, null, engine, config.environment).then(() => [], reasonOf)
  return { ...cell, refusals: [...cell.refusals, ...why] }
}

/** What an error says, without what every start's error says. */
export function reasonOf({ message }: Error): string[] {
  return [message.replace(/^The tool could not be started: |\.$/g, '')]
}
