import { randomUUID } from 'node:crypto'
import { rename, rmdir, unlink } from 'node:fs/promises'
import { type Folder, isCode } from './folder.ts'

/**
 * Removes a folder of `parent`, with all that is in it, however deep; follows no link, and rejects
 * where something is mounted in it. Nothing is done where it is not there.
 */
export async function removeFolder(parent: Folder, name: string): Promise<void> {
  try {
    await using folder = await parent.child(name)
    await empty(folder, folder, 0)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw error
  }
  await rmdir(parent.at(name))
}

/** Again and again, since what lies too deep comes to the top meanwhile. */
async function empty(folder: Folder, top: Folder, depth: number): Promise<void> {
  await unlock(folder)
  for (let pass = 0, found = true; found && pass < MOST_PASSES; pass += 1) {
    found = false
    for await (const names of folder.names()) {
      found = true
      const folders = await Promise.all(names.map((each) => removeFile(folder, each)))
      for (const name of folders) {
        if (name !== undefined) await removeInner(folder, name, top, depth)
      }
    }
  }
}

/** What somebody still writes into is not waited for. */
const MOST_PASSES = 1_000
/** Each level holds a descriptor. */
const DEEPEST = 250

/** Gives the name back where it is a folder's. */
async function removeFile(folder: Folder, name: Buffer): Promise<Buffer | undefined> {
  try {
    await unlink(folder.at(name))
  } catch (error) {
    // Linux says EISDIR of a folder, others EPERM.
    if (isCode(error, 'EISDIR', 'EPERM')) return name
    if (!isCode(error, 'ENOENT')) throw error
  }
  return undefined
}

async function removeInner(
  folder: Folder,
  name: Buffer,
  top: Folder,
  depth: number,
): Promise<void> {
  await using inner = await folder.inside(name)
  if ((await inner.stats()).dev !== (await top.stats()).dev) {
    throw new Error(`${inner.path} is mounted there`)
  }
  if (depth === DEEPEST) {
    await unlock(inner)
    await rename(folder.at(name), top.at(randomUUID()))
    return
  }
  await empty(inner, top, depth + 1)
  await rmdir(folder.at(name))
}

/** A tool that runs as the gateway's user may have locked it. */
async function unlock(folder: Folder): Promise<void> {
  const { mode } = await folder.stats()
  if ((mode & 0o700) !== 0o700) await folder.chmod(0o700)
}
