import { delimiter, isAbsolute } from 'node:path'
import type { Environment } from '../../config/environment.ts'
import { isSeen, type Mount } from './view.ts'

/** Names of the gateway's environment that every tool in a cell gets, besides a PATH. */
export const PASSED = ['LANG', 'LC_ALL', 'TZ']

/** What programs in a cell find of themselves; the PATH has only folders that are seen there. */
export function cellVariables(
  environment: Environment,
  names: readonly string[],
  home: string,
  mounts: readonly Mount[],
): Record<string, string> {
  const folders = (environment.PATH ?? '').split(delimiter).filter(isAbsolute)
  const seen = folders.filter((folder) => isSeen(folder, mounts) || LINKED.includes(folder))
  const variables: Record<string, string> = {
    PATH: seen.join(delimiter) || '/usr/bin:/bin',
    HOME: home,
    TMPDIR: '/tmp',
  }
  for (const name of [...PASSED, ...names]) {
    const value = environment[name]
    if (value !== undefined) variables[name] = value
  }
  return variables
}

/** Where /usr is merged these lead into it. */
const LINKED = ['/bin', '/sbin']
