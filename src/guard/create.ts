import type { Caller } from '../call/caller.ts'
import type { Config } from '../config/config.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Declaration } from '../tool/declaration.ts'
import { checkAccess } from './access.ts'
import { createIdentify } from './caller.ts'
import type { Guard } from './guard.ts'
import { createLimits } from './limits.ts'

/** The guard of a configuration; `telemetry` counts whom it refused. */
export function createGuard(
  config: Pick<Config, 'listen' | 'keys' | 'unauthenticated' | 'limits'>,
  telemetry: Telemetry,
): Guard {
  const identify = createIdentify(config, telemetry.meters)
  const limits = createLimits(config.limits, telemetry.meters)
  /** In this order: what is refused anyway is not charged. */
  const checks: readonly Check[] = [checkAccess, limits.charge]
  return {
    identify,
    see: checkAccess,
    async admit(caller, tool) {
      for (const check of checks) await check(caller, tool)
    },
    serve: (tool) => void limits.serve(tool),
    forget: limits.forget,
    close: limits.close,
  }
}

/** Throws or rejects with what the caller is told. */
type Check = (caller: Caller, tool: Declaration) => Promise<void> | void
