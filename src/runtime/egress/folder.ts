import { lstat, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GATEWAY } from '../../mark.ts'

/**
 * Makes the folder for this gateway's sockets, where it is not there; only its own user may enter
 * it. A socket's path is bounded by the kernel, so a cache folder that lies deep is not used.
 */
export async function makeEgressFolder(cache: string): Promise<string> {
  const [near, short] = foldersOf(cache, GATEWAY)
  const folder = Buffer.byteLength(near) + LONGEST_NAME <= LONGEST_PATH ? near : short
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Others may write beside the short one: what is there already could be theirs.
  const { uid, mode } = await lstat(folder)
  if (uid !== process.getuid?.() || (mode & 0o170_777) !== 0o40_700)
    throw new Error('the folder for sockets is not ours alone')
  return folder
}

/** Removes what these gateways left. They are ours, or known to be dead. */
export async function forgetEgress(cache: string, gateways: ReadonlySet<string>): Promise<void> {
  for (const gateway of gateways) {
    if (!ID.test(gateway)) continue
    for (const folder of foldersOf(cache, gateway)) {
      const found = await lstat(folder).catch(() => undefined)
      if (found !== undefined && found.uid === process.getuid?.())
        await rm(folder, { recursive: true, force: true })
    }
  }
}

function foldersOf(cache: string, gateway: string): [near: string, short: string] {
  return [join(cache, 'egress', gateway), join(tmpdir(), `toolgate-${gateway}`)]
}

const ID = /^[0-9a-f]{16}$/
/** Bytes: 104 with the NUL on the BSDs, 108 on Linux. */
const LONGEST_PATH = 103
/** A slash and a number. */
const LONGEST_NAME = 8
