import type { Config } from '../../config/config.ts'
import type { Declaration } from '../../tool/declaration.ts'

/** Where it depends on who asks what is seen, no cache may give one caller's answer to another. */
export function mayBeShared({ keys }: Config, { access }: Declaration): boolean {
  return keys.length === 0 && access.scopes.length === 0 && access.roles.length === 0
}
