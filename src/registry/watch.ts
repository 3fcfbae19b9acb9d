import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../telemetry/log.ts'

export interface FolderWatch {
  /**
   * Watches exactly these folders from now on. True when one was not watched before, so that
   * something may have happened in it unseen.
   */
  want(folders: Iterable<string>): Promise<boolean>
  close(): void
}

/** Milliseconds between two looks at folders that cannot be watched, or are not there. */
const POLL = 1_000

/** `onEvent` is called with the path that something happened to; undefined: anything may have. */
export function watchFolders(
  log: Logger,
  onEvent: (path: string | undefined) => void,
): FolderWatch {
  const watched = new Map<string, { readonly inode: string; readonly watcher: FSWatcher }>()
  let poll: NodeJS.Timeout | undefined
  let told = false

  function drop(folder: string): void {
    watched.get(folder)?.watcher.close()
    watched.delete(folder)
  }

  async function add(folder: string): Promise<'known' | 'new' | 'unwatched'> {
    const found = await stat(folder).catch(() => undefined)
    const inode = found?.isDirectory() ? `${found.dev}:${found.ino}` : undefined
    if (inode !== undefined && watched.get(folder)?.inode === inode) return 'known'
    drop(folder)
    if (inode === undefined) return 'unwatched'
    try {
      const watcher = watch(folder, (_event, name) =>
        onEvent(name === null ? undefined : join(folder, name)),
      )
      watcher.on('error', () => {
        drop(folder)
        onEvent(undefined)
      })
      watched.set(folder, { inode, watcher })
      return 'new'
    } catch (error) {
      if (!told) log.warn({ folder, err: error }, 'folders are looked at each second, not watched')
      told = true
      return 'unwatched'
    }
  }

  return {
    async want(folders) {
      const wanted = new Set(folders)
      for (const folder of watched.keys()) if (!wanted.has(folder)) drop(folder)
      const states = await Promise.all([...wanted].map(add))
      clearInterval(poll)
      poll = states.includes('unwatched') ? setInterval(() => onEvent(undefined), POLL) : undefined
      return states.includes('new')
    },
    close() {
      clearInterval(poll)
      for (const folder of [...watched.keys()]) drop(folder)
    },
  }
}
