import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findHierarchies } from '../limits/hierarchies.ts'

/**
 * Removes the control groups of a container that is gone: an engine that was killed while the
 * container ended may have forgotten them (cgroupfs; systemd looks after its own). Only empty ones
 * can be removed, and only where this machine's engine has made them. Never rejects.
 */
export async function removeGroups(id: string): Promise<void> {
  if (process.platform !== 'linux' || !ID.test(id)) return
  mounts ??= findHierarchies('/proc').then((found) => [...new Set(found.map(({ mount }) => mount))])
  for (const mount of await mounts) await rmdir(join(mount, 'docker', id)).catch(() => {})
}

let mounts: Promise<string[]> | undefined

const ID = /^[0-9a-f]{64}$/
