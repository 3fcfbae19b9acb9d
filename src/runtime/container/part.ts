import type { HostConfig } from 'dockerode'
import type { Config } from '../../config/config.ts'
import type { Policy } from '../../tool/declaration.ts'
import type { CellLine } from '../cell/cell.ts'

/** One thing a cell is made of, told and done in one place, so that the two cannot differ. */
export interface Part {
  readonly lines: readonly CellLine[]
  readonly host?: HostConfig
  /** Why the tool cannot be started here. */
  readonly refusals?: readonly string[]
}

/** Its file or the configuration lets go what cannot be enforced. */
export function isWaived(
  { sandbox }: Pick<Policy, 'sandbox'>,
  config: Pick<Config, 'sandbox'>,
): boolean {
  return sandbox === 'none' || config.sandbox === 'none'
}
