import type { Config } from '../../config/config.ts'
import type { Declaration } from '../../tool/declaration.ts'
import { grantFiles } from '../cell/grants.ts'
import { lookKept } from '../cell/kept.ts'
import type { Mount } from '../cell/view.ts'
import { type ContainerCell, resolveContainerCell } from './cell.ts'
import type { Engine } from './engine.ts'
import { mountsOf } from './mounts.ts'
import { findWalls } from './wall.ts'

/** A cell with what its tool's file names of this machine, as it was when it was looked at. */
export interface CellHere extends ContainerCell {
  readonly files: readonly Mount[]
}

/** The cell of a container tool on this machine: what its file asks for is looked at as well. */
export async function cellHere(
  tool: Pick<Declaration, 'policy'>,
  config: Config,
  engine: Engine,
  digest: string | null,
): Promise<CellHere> {
  const { policy } = tool
  const { network } = policy
  const walled = network !== 'none' && network !== 'host'
  const walls = walled ? await findWalls(engine, config.environment) : []
  const noWall = typeof walls === 'string' ? walls : null
  const cell = resolveContainerCell(tool, config, engine.facts, digest, noWall)
  const { mounts: files, refusals } = await grantFiles(policy, lookKept(config))
  if (refusals.length > 0) return { ...cell, files, refusals: [...cell.refusals, ...refusals] }
  const mounting = mountsOf(policy, null, engine, config.environment, files)
  const why = await mounting.then(() => [], reasonOf)
  return { ...cell, files, refusals: [...cell.refusals, ...why] }
}

/** What an error says, without what every start's error says. */
export function reasonOf({ message }: Error): string[] {
  return [message.replace(/^The tool could not be started: |\.$/g, '')]
}
