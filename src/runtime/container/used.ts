import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GATEWAY } from '../../mark.ts'

/**
 * Before anything of ours is made in an engine: once this gateway is dead, nothing of it is taken
 * for cleared until an engine has answered. A file in `engines/` of the cache folder, beside the
 * leases: where neither can be written nobody looks for what is left either. Never rejects.
 */
export async function noteUse(cache: string): Promise<void> {
  if (process.platform !== 'linux') return
  const folder = join(cache, 'engines')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(join(folder, GATEWAY), '', { mode: 0o600 })
  } catch {
    // As it says above.
  }
}

/** Those of the gateways that have used an engine. */
export async function usersOf(cache: string, gateways: Iterable<string>): Promise<string[]> {
  const found: string[] = []
  for (const gateway of gateways) {
    const there = await stat(join(cache, 'engines', gateway)).catch(() => undefined)
    if (there !== undefined) found.push(gateway)
  }
  return found
}

/** Nothing of them is left in it. */
export async function forgetUse(cache: string, gateways: Iterable<string>): Promise<void> {
  for (const gateway of gateways) await rm(join(cache, 'engines', gateway), { force: true })
}
