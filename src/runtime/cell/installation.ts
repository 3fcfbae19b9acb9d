import type { Declaration } from '../../tool/declaration.ts'
import type { CellLine } from './cell.ts'
import { type GatewayPlaces, lookKept } from './kept.ts'
import { placeProgram } from './program.ts'
import { systemView } from './view.ts'

/**
 * The folders that a tool of `command` sees because its program was installed in them; none where
 * the program's file is all, or where it is not found.
 */
export async function installationLines(
  { runtime }: Pick<Declaration, 'runtime'>,
  config: GatewayPlaces,
): Promise<CellLine[]> {
  if (runtime.kind !== 'command') return []
  const path = config.environment.PATH ?? ''
  const placed = await placeProgram(runtime.program, path, systemView(), lookKept(config)).catch(
    () => null,
  )
  const folders = placed?.mounts.filter(
    ({ kind, target }) => kind === 'read-only' && placed.program.startsWith(`${target}/`),
  )
  const rule = 'read-only, the program and what was installed with it'
  return (folders ?? []).map(({ target }) => ({ what: target, rule, by: 'mount namespace' }))
}
