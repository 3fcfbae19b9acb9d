import { realpath } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'

/** The script of npm: that of the running Node, else the one on the PATH. */
export async function findNpm(path = '/usr/local/bin:/usr/bin:/bin'): Promise<string | undefined> {
  const bin = dirname(await realpath(process.execPath))
  const cli = join('node_modules', 'npm', 'bin', 'npm-cli.js')
  const beside = [join(dirname(bin), 'lib', cli), join(bin, cli)]
  const named = path.split(delimiter).flatMap((folder) => [join(folder, 'npm'), join(folder, cli)])
  for (const place of [...beside, ...named]) {
    const found = await realpath(place).catch(() => undefined)
    if (found !== undefined && basename(found) === 'npm-cli.js') return found
  }
  return undefined
}
