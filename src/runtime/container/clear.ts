import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { EngineConfig } from './address.ts'
import { reapContainers } from './reap.ts'
import { clearWalls } from './wall.ts'

/**
 * Removes the containers that these dead gateways left, says so and counts them; then the walls
 * around their networks.
 */
export async function clearContainers(
  config: EngineConfig,
  dead: ReadonlySet<string>,
  { log, meters }: Pick<Telemetry, 'log' | 'meters'>,
): Promise<void> {
  await reapContainers(config, dead, ({ tool, ...rest }) => {
    meters.reaped(tool)
    log.warn({ tool, ...rest }, 'orphan ended')
  })
  await clearWalls(dead, config.environment)
}
