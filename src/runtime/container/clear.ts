import type { Config } from '../../config/config.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { NotYet } from '../not-yet.ts'
import type { EngineConfig } from './address.ts'
import { isId, removeGroups } from './groups.ts'
import { mayBeThere, reapContainers } from './reap.ts'
import { forgetUse, notesOf, usersOf } from './used.ts'
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
    const forgotten = users.map(async (user) => {
      await clearNotes(await notesOf(config.cache, user))
      await forgetUse(config.cache, [user])
    })
    for (const end of await Promise.allSettled(forgotten)) {
      if (end.status === 'rejected') throw end.reason
    }
  }
  const ends = await Promise.allSettled([clear()])
  ends.push(...(await Promise.allSettled([clearWalls(dead, config.environment)])))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/**
 * Of containers that the engine does not have, or not any more: rejects where one may be made yet,
 * as one is that an engine was asked for by who died, and where control groups stay.
 */
async function clearNotes(names: readonly string[]): Promise<void> {
  const why = new Set<string>()
  for (const name of names) {
    if (isId(name)) {
      if (!(await removeGroups(name))) why.add('control groups of a container stay')
      continue
    }
    const since = missing.get(name) ?? performance.now()
    missing.set(name, since)
    if (performance.now() - since < LATE) why.add('a container may be made yet')
  }
  if (why.size > 0) throw new NotYet([...why].join('; '))
  for (const name of names) missing.delete(name)
}

/** When an engine that answers did not have the container of that mark the first time. */
const missing = new Map<string, number>()

/** Milliseconds; a living gateway looks as long for what it gave up. */
const LATE = 60_000
