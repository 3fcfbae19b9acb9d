import { ToolgateError } from '../../errors.ts'
import type { Cell } from './cell.ts'

/** Fails closed: what cannot be enforced keeps the tool from starting. Throws `no_cell`. */
export function refuseWithout(refusals: Cell['refusals']): void {
  if (refusals.length === 0) return
  throw new ToolgateError('no_cell', `The tool could not be started: ${refusals.join('; ')}.`)
}
