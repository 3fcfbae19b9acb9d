import type { Config } from '../config/config.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Declaration } from '../tool/declaration.ts'
import type { Cell, CellKind } from './cell/cell.ts'
import { chooseCell, chooseCellNow, type NativeChoice } from './cell/choose.ts'
import { probeHost } from './cell/host.ts'

/** What instances of a tool may touch on this host, whichever driver starts them. */
export async function cellOf(tool: Declaration, config: Config): Promise<Cell> {
  const cell =
    tool.runtime.kind === 'container'
      ? await (await import('./container/prepare.ts')).containerCellOf(tool, config)
      : await chooseCellNow(tool, config)
  kinds.set(tool.policy, cell.kind)
  return cell
}

/** What the driver of a tool that is no container starts it in; files are looked at then. */
export async function nativeCell(tool: Declaration, config: Config): Promise<NativeChoice> {
  const cell = await chooseCell(tool, config)
  kinds.set(tool.policy, cell.kind)
  return cell
}

/** Says once where there are no cells: what runs all the same is kept from less. */
export async function warnWithoutCells(config: Config, log: Logger): Promise<void> {
  if (config.sandbox === 'none') return log.warn({}, 'no tool has a cell: sandbox is none')
  const { bubblewrap, root, why } = await probeHost(config.environment)
  if (bubblewrap !== null) return
  const more = root ? ', and as root they can reach sockets and signal processes of others' : ''
  log.warn({ why }, `there are no cells here: only inline tools and containers run${more}`)
}

/** How a tool is isolated, as it was last resolved; undefined: nobody has looked yet. */
export function knownKind({ policy }: Pick<Declaration, 'policy'>): CellKind | undefined {
  return kinds.get(policy)
}

/** By the part of a declaration that all its copies share. */
const kinds = new WeakMap<Declaration['policy'], CellKind>()
