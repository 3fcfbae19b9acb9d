import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GATEWAY } from '../../mark.ts'

/*
 * What a later gateway has to know of this one's containers, should it die: a folder in `engines/` of
 * the cache folder, beside the leases, with a file for each that is there. Where neither can be
 * written nobody looks for what is left either: nothing in here that writes rejects.
 */

/**
 * Before anything of ours is made in an engine: once this gateway is dead, nothing of it is taken
 * for cleared until an engine has answered.
 */
export async function noteUse(cache: string): Promise<void> {
  if (process.platform !== 'linux') return
  await mkdir(folderOf(cache), { recursive: true, mode: 0o700 }).catch(() => {})
}

/** By its mark as long as it may be made, and by its id from then on. */
export async function noteMaking(cache: string, mark: string, id?: string): Promise<void> {
  const file = join(folderOf(cache), mark)
  const noting = id === undefined ? writeFile(file, '') : rename(file, join(folderOf(cache), id))
  await noting.catch(() => {})
}

/** By its mark and its id: it is gone, with all that an engine makes for it. */
export async function forgetMaking(
  cache: string,
  ...names: readonly (string | undefined)[]
): Promise<void> {
  for (const name of names) {
    if (name !== undefined) await rm(join(folderOf(cache), name), { force: true }).catch(() => {})
  }
}

/** Those of the gateways that have used an engine. */
export async function usersOf(cache: string, gateways: Iterable<string>): Promise<string[]> {
  const found: string[] = []
  for (const gateway of gateways) {
    const there = await stat(folderOf(cache, gateway)).catch(() => undefined)
    if (there !== undefined) found.push(gateway)
  }
  return found
}

/** The marks and the ids of the containers that a gateway had. Rejects where they cannot be read. */
export async function notesOf(cache: string, gateway: string): Promise<string[]> {
  try {
    return await readdir(folderOf(cache, gateway))
  } catch (error) {
    // An earlier version kept a file, and nothing in it.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** Nothing of them is left in it. */
export async function forgetUse(cache: string, gateways: Iterable<string>): Promise<void> {
  for (const gateway of gateways) {
    await rm(folderOf(cache, gateway), { recursive: true, force: true })
  }
}

function folderOf(cache: string, gateway = GATEWAY): string {
  return join(cache, 'engines', gateway)
}
