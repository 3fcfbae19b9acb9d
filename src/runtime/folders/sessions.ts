import { Folder, isCode } from './folder.ts'
import { removeFolder } from './remove.ts'

/** Where the folders of sessions lie: in it one for each tool, in that `{gateway}.{random}`. */
export const SESSIONS = '.sessions'

/** Removes the folder of a session that has ended. */
export async function removeSession(root: string, tool: string, name: string): Promise<void> {
  await using top = await Folder.root(root)
  await using sessions = await top.child(SESSIONS)
  await using folders = await sessions.child(tool)
  await removeFolder(folders, name)
}

/**
 * Removes the folders of sessions that dead gateways left, by their ids. Rejects with what could
 * not be removed, once all else is.
 */
export async function forgetSessions(root: string, gateways: ReadonlySet<string>): Promise<void> {
  const failures: unknown[] = []
  await using top = await existing(Folder.root(root))
  await using sessions = await existing(top?.child(SESSIONS))
  for (const tool of await namesIn(sessions)) {
    await using folders = await sessions?.child(tool).catch((error: unknown) => {
      failures.push(error)
      return undefined
    })
    for (const name of await namesIn(folders)) {
      if (folders === undefined || !gateways.has(name.split('.')[0] ?? '')) continue
      await removeFolder(folders, name).catch((error: unknown) => failures.push(error))
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'folders of sessions are left over')
}

async function existing(opening: Promise<Folder> | undefined): Promise<Folder | undefined> {
  return opening?.catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  })
}

async function namesIn(folder: Folder | undefined): Promise<string[]> {
  if (folder === undefined) return []
  const names: string[] = []
  for await (const few of folder.names()) names.push(...few.map(String))
  return names
}
