import { constants, type Stats } from 'node:fs'
import { chown, lchown, lstat, open } from 'node:fs/promises'
import { type Folder, O_PATH } from './folder.ts'

/** A user and its group. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/**
 * Gives a folder to `user`, with what lies in it as far as one of `owners` has it: the folder
 * itself comes last, so that what was interrupted is begun again. No link is followed, and what is
 * mounted in it or has a second name, which may lie anywhere, stays whose it was.
 */
export async function giveFolder(
  folder: Folder,
  owners: ReadonlySet<number>,
  user: User,
): Promise<void> {
  const { dev } = await folder.stats()
  await giveContents(folder, (stats) => owners.has(stats.uid) && stats.dev === dev, user)
  await folder.chmod(0o700)
  await folder.chown(user)
}

type Due = (stats: Stats) => boolean

async function giveContents(folder: Folder, due: Due, user: User, depth = 0): Promise<void> {
  if (depth > DEEPEST) throw new Error(`${folder.path} lies too deep to be given to a user`)
  for await (const names of folder.names()) {
    const folders = await Promise.all(names.map((name) => giveFile(folder, name, due, user)))
    for (const name of folders) {
      if (name === undefined) continue
      await using inner = await folder.inside(name)
      if (!due(await inner.stats())) continue
      await giveContents(inner, due, user, depth + 1)
      await inner.chown(user)
    }
  }
}

/** Each level holds a descriptor. */
const DEEPEST = 250

/** Gives the name back where it is a folder's. */
async function giveFile(
  folder: Folder,
  name: Buffer,
  due: Due,
  { uid, gid }: User,
): Promise<Buffer | undefined> {
  const path = folder.at(name)
  if (folder.descriptor === null) {
    const stats = await lstat(path)
    if (stats.isDirectory()) return name
    if (due(stats) && stats.nlink === 1) await lchown(path, uid, gid)
    return undefined
  }
  // Held, so that what was looked at is what is given, whatever has this name by now.
  await using entry = await open(path, O_PATH | constants.O_NOFOLLOW)
  const stats = await entry.stat()
  if (stats.isDirectory()) return name
  // The descriptor of a link is the link, which is not followed here.
  if (due(stats) && stats.nlink === 1) await chown(`/proc/self/fd/${entry.fd}`, uid, gid)
  return undefined
}
