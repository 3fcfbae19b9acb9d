import { lstat, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GATEWAY } from '../../mark.ts'

/**
 * Makes the folder for this gateway's sockets, which only its own user may enter. A socket's path
 * is bounded by the kernel, so a cache folder that lies deep is not used for it.
 */
export async function makeEgressFolder(cache: string): Promise<string> {
  const [near, short] = foldersOf(cache, GATEWAY)
  const folder = near.length + LONGEST_NAME <= LONGEST_PATH ? near : short
  if (folder === near) await mkdir(join(cache, 'egress'), { recursive: true, mode: 0o700 })
  // Not recursive: a folder that is there already could be somebody else's.
  await mkdir(folder, { mode: 0o700 })
  return folder
}

/** Removes what dead gateways left. `gateways` are the ids of those that are known to be dead. */
export async function forgetEgress(cache: string, gateways: ReadonlySet<string>): Promise<void> {
  for (const gateway of gateways) {
    if (!ID.test(gateway)) continue
    for (const folder of foldersOf(cache, gateway)) {
      const { uid } = (await lstat(folder).catch(() => undefined)) ?? {}
      if (uid !== undefined && uid === process.getuid?.())
        await rm(folder, { recursive: true, force: true })
    }
  }
}

function foldersOf(cache: string, gateway: string): [near: string, short: string] {
  return [join(cache, 'egress', gateway), join(tmpdir(), `toolgate-${gateway}`)]
}

const ID = /^[0-9a-f]{16}$/
/** Bytes: 104 with the NUL on the BSDs, 108 on Linux. Paths of wide characters are not shorter. */
const LONGEST_PATH = 103
/** A slash and a number. */
const LONGEST_NAME = 8
