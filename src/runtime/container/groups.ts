import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findHierarchies } from '../limits/hierarchies.ts'

/**
 * Removes the control groups of a container that is gone: an engine that was killed while the
 * container ended may have forgotten them (Docker's and Podman's with cgroupfs; systemd looks after
 * its own). Only empty ones can be removed. False where some stay that are ours to remove. Never rejects.
 */
export async function removeGroups(id: string): Promise<boolean> {
  if (process.platform !== 'linux' || !isId(id)) return true
  mounts ??= findHierarchies('/proc').then((found) => [...new Set(found.map(({ mount }) => mount))])
  const removed = (await mounts).flatMap((mount) =>
    [join('docker', id), join('libpod_parent', `libpod-${id}`)].map((group) =>
      rmdir(join(mount, group)).then(
        () => true,
        ({ code }: NodeJS.ErrnoException) => code !== 'EBUSY' && code !== 'ENOTEMPTY',
      ),
    ),
  )
  return (await Promise.all(removed)).every(Boolean)
}

let mounts: Promise<string[]> | undefined

/** Whether it is a container's, as engines give them. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
