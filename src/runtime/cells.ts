import type { Config } from '../config/config.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Cell } from './cell/cell.ts'

/** What instances of a tool may touch on this host, whichever driver starts them. */
export async function cellOf(tool: Declaration, _config: Config): Promise<Cell> {
  const known = cells.get(tool)
  if (known !== undefined) return known
  const resolving = Promise.resolve<Cell>({ kind: 'none', lines: [], refusals: [] })
  cells.set(tool, resolving)
  return resolving
}

/** A declaration is one version, and what this host has is looked at once. */
const cells = new WeakMap<Declaration, Promise<Cell>>()
