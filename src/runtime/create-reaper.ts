import type { Config } from '../config/config.ts'
import { GATEWAY } from '../mark.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { clearContainers } from './container/clear.ts'
import { allRemoved, somethingLeft } from './container/remove.ts'
import { forgetUse } from './container/used.ts'
import { forgetEgress } from './egress/folder.ts'
import { findLimiter } from './limits/limiter.ts'
import { Reaper } from './reaper.ts'
import { forgetSessions } from './workspace.ts'

/** Looks after all that a gateway which was killed may have left, each kind by whoever makes it. */
export function createReaper(config: Config, telemetry: Telemetry): Reaper {
  return new Reaper({
    cache: config.cache,
    term: config.timeouts.term,
    telemetry,
    clearers: [
      (dead) => forgetEgress(config.cache, dead),
      (dead) => forgetSessions(config.workspace, dead),
      async (dead) => (await findLimiter()).reap(dead),
      (dead) => clearContainers(config, dead, telemetry),
    ],
    leaves: async () => {
      // One that was just being started is ended first.
      await allRemoved()
      return somethingLeft()
    },
    forget: () => forgetUse(config.cache, [GATEWAY]),
  })
}
