import type { Link } from '../../call/link.ts'
import { ToolgateError } from '../../errors.ts'
import { ALL_TOOLS } from './all-tools.ts'
import type { Directories } from './directories.ts'
import type { Found } from './directory.ts'

/** As `WireParts.functionOf`; what is found nowhere stays as it is, for the call to be refused. */
export function functionOf(
  directories: Directories,
  { tool, caller }: Link,
  name: string,
): Found | Promise<Found> {
  if (tool !== ALL_TOOLS) return { tool, own: name }
  try {
    return directories.now(caller).named('functions', name)
  } catch (thrown) {
    if (!(thrown instanceof ToolgateError) || thrown.code !== 'not_learned') {
      return { tool, own: name }
    }
  }
  return directories.settled(caller).then((directory) => directory.named('functions', name))
}
