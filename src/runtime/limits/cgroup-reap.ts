import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readMark } from '../../mark.ts'
import { endGroup } from './cgroup-end.ts'
import { markOfFolder } from './cgroup-folder.ts'

/**
 * Ends the groups of these gateways, wherever below the mounts they were made: the group that a
 * gateway was in may be gone with it. Gives the number of instances; rejects where some are left,
 * once all others are gone.
 */
export async function reapCgroups(
  mounts: readonly string[],
  gateways: ReadonlySet<string>,
): Promise<number> {
  if (gateways.size === 0) return 0
  const ended = new Set<string>()
  const left: string[] = []
  for (const mount of mounts) {
    const found = await findOf(gateways, mount)
    await Promise.all(
      found.map(async ({ mark, folder }) => {
        if (await endGroup(folder)) ended.add(mark)
        else left.push(folder)
      }),
    )
  }
  if (left.length > 0) throw new Error(`control groups are still there: ${left.join(', ')}`)
  return ended.size
}

async function findOf(gateways: ReadonlySet<string>, mount: string) {
  const found: { mark: string; folder: string }[] = []
  const folders = [mount]
  for (const folder of folders) {
    if (folders.length > MOST) break
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      const path = join(folder, entry.name)
      const mark = markOfFolder(entry.name)
      const gateway = mark === undefined ? undefined : readMark(mark)?.gateway
      if (mark === undefined) folders.push(path)
      else if (gateway !== undefined && gateways.has(gateway)) found.push({ mark, folder: path })
    }
  }
  return found
}

/** Groups that are looked at: a large host has some thousands. */
const MOST = 50_000
