import type { Config } from '../config/config.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Cell } from './cell/cell.ts'
import { chooseCell } from './cell/choose.ts'

/** What instances of a tool may touch on this host, whichever driver starts them. */
export async function cellOf(tool: Declaration, config: Config): Promise<Cell> {
  const known = cells.get(tool)
  if (known !== undefined) return known
  const resolving = chooseCell(tool, config)
  cells.set(tool, resolving)
  return resolving
}

/** A declaration is one version, and what this host has is looked at once. */
const cells = new WeakMap<Declaration, Promise<Cell>>()
