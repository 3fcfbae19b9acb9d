import type { Config } from '../../config/config.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import type { EngineConfig } from './address.ts'
import { mayBeThere, reapContainers } from './reap.ts'
import { forgetUse, usersOf } from './used.ts'
import { clearWalls } from './wall.ts'

/**
 * Removes the containers that these dead gateways left, says so and counts them; then the walls
 * around their networks, whether the engine answers or not. Rejects where something may be left:
 * also where there is no engine now, and one of them has used one.
 */
export async function clearContainers(
  config: EngineConfig & Pick<Config, 'cache'>,
  dead: ReadonlySet<string>,
  { log, meters }: Pick<Telemetry, 'log' | 'meters'>,
): Promise<void> {
  const clear = async () => {
    const users = await usersOf(config.cache, dead)
    if (users.length > 0 && !mayBeThere(config))
      throw new Error('the container engine is not there')
    await reapContainers(config, dead, ({ tool, ...rest }) => {
      meters.reaped(tool)
      log.warn({ tool, ...rest }, 'orphan ended')
    })
    await forgetUse(config.cache, users)
  }
  const ends = await Promise.allSettled([clear()])
  ends.push(...(await Promise.allSettled([clearWalls(dead, config.environment)])))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
