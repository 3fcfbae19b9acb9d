import { rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { findHierarchies } from '../limits/hierarchies.ts'

/**
 * Removes the control groups of a container that is gone: an engine that was killed while the
 * container ended may have forgotten them (cgroupfs; systemd looks after its own). Only empty ones
 * can be removed, and only where this machine's engine has made them. False where some stay. Never
 * rejects.
 */
export async function removeGroups(id: string): Promise<boolean> {
  if (process.platform !== 'linux' || !isId(id)) return true
  mounts ??= findHierarchies('/proc').then((found) => [...new Set(found.map(({ mount }) => mount))])
  const removed = (await mounts).map(async (mount) => {
    const group = join(mount, 'docker', id)
    await rmdir(group).catch(() => {})
    return stat(group).then(
      () => false,
      () => true,
    )
  })
  return (await Promise.all(removed)).every(Boolean)
}

let mounts: Promise<string[]> | undefined

/** Whether it is a container's, as engines give them. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
