import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * For `test(title, { skip: absent('caddy') }, …)`: why the test is skipped, or false where the
 * program is installed. With REQUIRE_SERVICES=1 nothing may be skipped: throws.
 */
export function absent(program: string): string | false {
  if (programPath(program) !== undefined) return false
  if (process.env.REQUIRE_SERVICES === '1') throw new Error(`${program} is not installed`)
  return `${program} is not installed`
}

/** Where the program lies, by the PATH. */
export function programPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
