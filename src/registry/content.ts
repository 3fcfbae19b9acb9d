import { createHash, hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { relative } from 'node:path'

/** What stood in each file, by path; null: there was no such file. */
export type Contents = ReadonlyMap<string, string | null>

/** Most bytes of one file; a bigger one counts as not there. */
const MOST = 16 * 2 ** 20

/** SHA-256 of what a file holds; null where there is no file to read. Never blocks on a pipe. */
export async function hashFile(path: string): Promise<string | null> {
  try {
    const found = await stat(path)
    if (!found.isFile() || found.size > MOST) return null
    return hash('sha256', await readFile(path))
  } catch {
    return null
  }
}

/** True when every file holds now what it held then. */
export async function unchanged(contents: Contents): Promise<boolean> {
  for (const [path, then] of contents) {
    if ((await hashFile(path)) !== then) return false
  }
  return true
}

/** The version of a tool: 16 hexadecimal digits over its files, wherever the folder lies. */
export function versionOf(folder: string, contents: Contents): string {
  const digest = createHash('sha256')
  for (const [path, content] of [...contents].sort(([a], [b]) => (a < b ? -1 : 1))) {
    digest.update(`${relative(folder, path)}\0${content}\n`)
  }
  return digest.digest('hex').slice(0, 16)
}
